//! Merges a duplicate into a contact: an operation.

use crm_proto::customers as pb;
use crm_proto::merges::MergeRequest;
use crm_resource::activities::Activities;
use crm_resource::merge::{BEGUN, Merging, Position};
use crm_resource::operations::{Next, Operation, Progress};
use crm_resource::{Error, Records, Violations, Write};
use tonic::async_trait;

use super::Contact;
use crate::OfCustomers;

/// The operation.
#[derive(Debug, Clone)]
pub struct MergeContact {
    pub(super) merging: Merging<Contact>,
}

impl MergeContact {
    /// Of contacts, and of what is about them.
    pub fn new(contacts: &Records<Contact>, activities: &Activities<OfCustomers>) -> Self {
        Self { merging: Merging::new(contacts).moving_activities(activities) }
    }
}

#[async_trait]
impl Operation for MergeContact {
    type Request = MergeRequest;
    type Position = Position;
    type Response = pb::Contact;

    const NAME: &'static str = "MergeContact";
    const UNIT: &'static str = "records";
    const GOES_THROUGH: bool = true;

    fn request_id(request: &mut MergeRequest) -> &mut String {
        Merging::<Contact>::request_id(request)
    }

    fn check(request: &MergeRequest, found: &mut Violations) {
        Merging::<Contact>::check(request, found);
    }

    async fn step(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &MergeRequest,
        at: Position,
    ) -> Result<Next<Position, pb::Contact>, Error> {
        if at.is_begun() {
            return self.merging.go_on(write, progress, request).await;
        }
        self.merging.take_turns(write).await?;
        let Some(pair) = self.merging.lock(write, request).await? else { return Ok(Next::Step(BEGUN)) };
        let (_, next) = self.merging.merge(write, progress, pair).await?;
        Ok(next)
    }
}
