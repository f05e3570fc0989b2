//! Replicas that are killed all together and started again, and calls that are made once more until somebody answers.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;

use crate::scratch::{Callers, LabError, Replica, Stage, Whose};

/// Longest that nobody may answer.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Replicas<'a> {
    stage: &'a Stage,
    all: Vec<Replica>,
    callers: Callers<'a>,
}

impl<'a> Replicas<'a> {
    pub(super) async fn start(stage: &'a Stage, number: usize) -> Result<Self, LabError> {
        let (all, callers) = started(stage, number).await?;
        Ok(Self { stage, all, callers })
    }

    /// Ends them as a failing machine does; others stand there then.
    pub(super) async fn kill_all(&mut self) -> Result<(), LabError> {
        let number = self.all.len();
        self.all.iter().for_each(Replica::kill);
        (self.all, self.callers) = started(self.stage, number).await?;
        Ok(())
    }

    /// What a call is answered that may be made several times.
    pub(super) async fn get(&mut self, whose: Whose<'_>, rpc: &str, request: &Value) -> Result<Value, LabError> {
        let began = Instant::now();
        loop {
            let (answer, _) = self.callers.answer(whose, rpc, request).await?;
            match answer {
                Ok(answer) => return Ok(answer),
                Err(code) if code == "Unavailable" && began.elapsed() < PATIENCE => {
                    sleep(Duration::from_millis(20)).await;
                }
                Err(code) => return Err(LabError::Call(format!("{rpc}: {code}"))),
            }
        }
    }
}

async fn started(stage: &Stage, number: usize) -> Result<(Vec<Replica>, Callers<'_>), LabError> {
    let mut all = Vec::new();
    for _ in 0..number {
        all.push(stage.replica().await?);
    }
    let callers = Callers::new(stage, &all.iter().collect::<Vec<_>>())?;
    Ok((all, callers))
}
