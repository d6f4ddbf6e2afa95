//! What the service does without a connection of its own.

use super::*;
use crate::issuer::{
    Code, Record, Standing, Subscriber,
    keys::{self, Purpose},
    record::testing::Fixed,
};
use actix_web::test::{TestRequest, call_service, init_service};
use proofs::testing::issuer;

/// A request on a connection that has no place: the door said no, and the request was there before.
#[test]
fn nothing_is_signed_for_who_was_turned_away_at_the_door() {
    let (dir, code) = (tempfile::tempdir().unwrap(), Code::generate(&mut OsRng));
    let (epoch, tier) = (EpochId(3), Tier(1));
    keys::keep(dir.path(), Purpose::Token(epoch, tier), issuer()).unwrap();
    let open = Standing::Open { max_bundles: 4 };
    let record: Arc<dyn Record> = Arc::new(Fixed(open, Some(issuer().public().der().to_vec())));
    let list = [(code.hash(), Subscriber::new(code.hash(), tier))].into();
    let desk: Arc<Mutex<Signs>> =
        Arc::new(Mutex::new(TokenIssuer::open(dir.path(), list, record).unwrap().into()));
    let request = issuer().public().blind(&[7; 32], &mut OsRng).unwrap().0;
    System::new().block_on(async {
        let app = App::new().app_data(Data::from(desk.clone())).configure(routes);
        let app = init_service(app).await;
        let bearer = (AUTHORIZATION, format!("Bearer {}", code.reveal()));
        let token = TestRequest::post().uri("/v1/tokens/3/1").insert_header(bearer);
        let token = token.set_payload(request.to_vec());
        for asked in [
            token,
            TestRequest::post().uri("/v1/receipts/3/1/4"),
            TestRequest::get().uri("/v1/keys/3"),
            TestRequest::get().uri("/healthz"),
        ] {
            let answer = call_service(&app, asked.to_request()).await;
            assert_eq!(answer.status(), 429, "{:?}", answer.request());
            assert!(answer.headers().contains_key(header::RETRY_AFTER));
        }
    });
    let other = issuer().public().blind(&[8; 32], &mut OsRng).unwrap().0;
    let Signs::Tokens(issuer) = &mut *lock(&desk) else { unreachable!("it signs tokens") };
    assert!(
        issuer.sign(code.reveal(), (epoch, tier), &other, &mut OsRng).is_ok(),
        "no token of the subscriber was given away"
    );
}
