//! Replicas that are killed all together and started again, and calls that are made once more until somebody answers.

use std::time::{Duration, Instant};

use serde_json::Value;
use sqlx::Executor;
use tokio::time::sleep;

use crate::scratch::{Callers, LabError, Replica, Stage, Whose};

/// Longest that nobody may answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// What they work on is theirs for twenty seconds more: ended, it is anybody's at once, as if that time were over.
const END_LEASES: &str = "update customers.operations set due_time = now() where state = 'running'";

pub(super) struct Replicas<'a> {
    stage: &'a Stage,
    waits: bool,
    all: Vec<Replica>,
    callers: Callers<'a>,
}

impl<'a> Replicas<'a> {
    /// `waits` says whether the leases of those that are killed run out by themselves.
    pub(super) async fn start(stage: &'a Stage, number: usize, waits: bool) -> Result<Self, LabError> {
        let (all, callers) = started(stage, number).await?;
        Ok(Self { stage, waits, all, callers })
    }

    /// Ends them as a failing machine does; others stand there then.
    pub(super) async fn kill_all(&mut self) -> Result<(), LabError> {
        let number = self.all.len();
        self.all.iter().for_each(Replica::kill);
        if !self.waits {
            self.stage.owner().await?.execute(END_LEASES).await?;
        }
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

/// As JSON has whole numbers of 64 bits.
pub(super) fn number(value: &Value) -> f64 {
    value.as_str().and_then(|text| text.parse().ok()).or_else(|| value.as_f64()).unwrap_or(0.0)
}
