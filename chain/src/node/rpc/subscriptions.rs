//! Subscriptions: news of heads, and of one transaction.

use super::{
    Failure, Service,
    args::Args,
    blocks::{head_object, status},
    table::SUBSCRIPTIONS,
};
use jsonrpsee::{
    PendingSubscriptionSink, RpcModule, SubscriptionSink,
    core::{RegisterMethodError, SubscriptionError},
    types::{ErrorObjectOwned, Params},
};
use primitives::Digest;
use serde_json::{Value, value::to_raw_value};
use std::sync::Arc;
use tokio::sync::broadcast::error::RecvError;

/// What a subscription is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Topic {
    Heads,
    Transaction,
}

pub(super) fn register(module: &mut RpcModule<Service>) -> Result<(), RegisterMethodError> {
    for subscription in SUBSCRIPTIONS {
        let run = move |params: Params<'static>, sink, service: Arc<Service>, _| async move {
            subscribe(subscription.topic, subscription.params, params, sink, service).await
        };
        module.register_subscription(
            subscription.name,
            subscription.notification,
            subscription.unsubscribe,
            run,
        )?;
    }
    Ok(())
}

/// Registers the names where no news can be brought, so that whoever subscribes there is told.
pub(super) fn refuse(module: &mut RpcModule<Service>) -> Result<(), RegisterMethodError> {
    for name in SUBSCRIPTIONS.iter().flat_map(|subscription| [subscription.name, subscription.unsubscribe]) {
        module.register_method(name, |_, _, _| {
            Err::<Value, _>(ErrorObjectOwned::from(Failure::needs_websocket()))
        })?;
    }
    Ok(())
}

async fn subscribe(
    topic: Topic,
    params: &'static [super::args::Param],
    given: Params<'static>,
    pending: PendingSubscriptionSink,
    service: Arc<Service>,
) -> Result<(), SubscriptionError> {
    let args = Args::parse(params, given.as_str());
    match topic {
        Topic::Heads => {
            if let Err(failure) = args {
                pending.reject(failure).await;
                return Ok(());
            }
            heads(pending.accept().await?, &service).await
        }
        Topic::Transaction => match args.and_then(|args| args.id(0)) {
            Ok(id) => transaction(pending.accept().await?, &service, id).await,
            Err(failure) => {
                pending.reject(failure).await;
                Ok(())
            }
        },
    }
}

async fn send(sink: &SubscriptionSink, value: &Value) -> Result<(), SubscriptionError> {
    Ok(sink.send(to_raw_value(value)?).await?)
}

/// Every head from now on. One who lags too far behind is cut off: it asks for a range of blocks instead.
async fn heads(sink: SubscriptionSink, service: &Service) -> Result<(), SubscriptionError> {
    let mut heads = service.shared.heads();
    loop {
        let next = tokio::select! {
            next = heads.recv() => next,
            () = sink.closed() => return Ok(()),
        };
        match next {
            Ok(head) => send(&sink, &head_object(&head)).await?,
            Err(RecvError::Lagged(missed)) => return Err(format!("{missed} heads were missed").into()),
            Err(RecvError::Closed) => return Ok(()),
        }
    }
}

/// Where a transaction stands, at once and whenever that changes, until it is in a block.
async fn transaction(sink: SubscriptionSink, service: &Service, id: Digest) -> Result<(), SubscriptionError> {
    let mut changes = service.shared.changes();
    let mut last = Value::Null;
    loop {
        let now = status(service, &id).map_err(|failure| ErrorObjectOwned::from(failure).to_string())?;
        if now != last {
            send(&sink, &now).await?;
            last = now;
        }
        if last["status"] == "in-block" {
            return Ok(());
        }
        loop {
            let next = tokio::select! {
                next = changes.recv() => next,
                () = sink.closed() => return Ok(()),
            };
            match next {
                Ok(changed) if changed != id => {}
                // After a gap, looking again is enough.
                Ok(_) | Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return Ok(()),
            }
        }
    }
}
