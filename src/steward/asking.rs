//! Issuers are asked on a thread of their own: one that is silent, or whose answer never ends, keeps nobody waiting who has
//! the books of another epoch to close.

use super::issuers::{self, Answer, Issuer};
use primitives::EpochId;
use std::{
    sync::{
        Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

/// For how long answers are waited for at a time: issuers that are well are quicker.
const AT_ONCE: Duration = Duration::from_secs(1);

/// Who is being asked, and what came of it the last time.
#[derive(Default)]
pub(super) struct Asking(Mutex<Desk>);

#[derive(Default)]
struct Desk {
    under_way: Option<UnderWay>,
    /// What was wrong with the last answers, which were of this epoch.
    last: Option<(EpochId, String)>,
}

struct UnderWay {
    epoch: EpochId,
    issuers: Vec<Issuer>,
    answers: Receiver<Vec<Answer>>,
}

impl UnderWay {
    fn begin(epoch: EpochId, issuers: Vec<Issuer>) -> Self {
        let (tell, answers) = mpsc::channel();
        let asked = issuers.clone();
        // Nobody may wait for the answers any more.
        thread::spawn(move || drop(tell.send(issuers::ask(&asked, epoch))));
        Self { epoch, issuers, answers }
    }
}

impl Asking {
    /// What `judge` makes of the answers for an epoch, once all are there. Until then what it made of the last ones.
    ///
    /// # Errors
    /// What is wrong with the answers, or that they are not there.
    pub(super) fn keys<T>(
        &self,
        epoch: EpochId,
        issuers: Vec<Issuer>,
        judge: impl FnOnce(&[Issuer], Vec<Answer>) -> Result<T, String>,
    ) -> Result<T, String> {
        let mut desk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Desk { under_way, last } = &mut *desk;
        let same = under_way.take().filter(|asked| asked.epoch == epoch && asked.issuers == issuers);
        let asked = same.unwrap_or_else(|| UnderWay::begin(epoch, issuers));
        match asked.answers.recv_timeout(AT_ONCE) {
            Ok(answers) => {
                let judged = judge(&asked.issuers, answers);
                *last = judged.as_ref().err().map(|error| (epoch, error.clone()));
                judged
            }
            Err(RecvTimeoutError::Timeout) => {
                *under_way = Some(asked);
                let known = last.as_ref().filter(|(of, _)| *of == epoch).map(|(_, error)| error.clone());
                Err(known
                    .unwrap_or_else(|| format!("answers of the issuers, for their keys of epoch {epoch}")))
            }
            Err(RecvTimeoutError::Disconnected) => Err("the issuers could not be asked".into()),
        }
    }
}
