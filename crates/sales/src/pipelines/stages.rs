//! Stages of a pipeline, as they are stored, read and shown.

use crm_proto::sales::pipeline as pb;
use crm_resource::{Error, Item, Violations};
use crm_values::{Flaw, TextRule, name_key, parse_id, required};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// More than anybody keeps apart on a board.
pub(super) const MOST: usize = 50;
const NAME: TextRule = required(100);

/// What standing in a stage means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StageKind {
    /// It is not decided.
    #[default]
    Open,
    /// It was sold.
    Won,
    /// It was not.
    Lost,
}

impl StageKind {
    const ALL: [Self; 3] = [Self::Open, Self::Won, Self::Lost];

    /// As it is stored of an opportunity.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }

    fn read(number: i32) -> Result<Self, Flaw> {
        match pb::Kind::try_from(number) {
            Ok(pb::Kind::Open) => Ok(Self::Open),
            Ok(pb::Kind::Won) => Ok(Self::Won),
            Ok(pb::Kind::Lost) => Ok(Self::Lost),
            Ok(pb::Kind::Unspecified) => Err(Flaw::missing()),
            Err(_) => Err(Flaw::malformed("must be a kind that is known")),
        }
    }

    fn shown(self) -> pb::Kind {
        match self {
            Self::Open => pb::Kind::Open,
            Self::Won => pb::Kind::Won,
            Self::Lost => pb::Kind::Lost,
        }
    }

    /// What is decided is as likely as that.
    fn probability(self, asked: Option<i32>) -> Result<i32, Flaw> {
        match (self, asked) {
            (Self::Open, None) | (Self::Lost, None | Some(0)) => Ok(0),
            (Self::Won, None | Some(100)) => Ok(100),
            (Self::Open, Some(percent @ 0..=100)) => Ok(percent),
            (Self::Open, _) => Err(Flaw::new(Flaw::OUT_OF_RANGE, "must be 0 to 100")),
            (Self::Won, _) => Err(Flaw::new(Flaw::OUT_OF_RANGE, "must be 100 of a won stage")),
            (Self::Lost, _) => Err(Flaw::new(Flaw::OUT_OF_RANGE, "must be 0 of a lost stage")),
        }
    }
}

/// A stage. By its id it is the same one, whatever is changed of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stage {
    /// Its own, or chosen by who added it.
    pub id: Uuid,
    /// Unique in the pipeline, in any case.
    pub name: String,
    /// Never changes: opportunities hold it, too.
    pub kind: StageKind,
    /// In a hundred.
    pub probability: i32,
    /// Whatever enters this stage enters that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merging_into: Option<Uuid>,
}

/// The stages of a pipeline in their order.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Stages {
    /// Those that there are.
    pub all: Vec<Stage>,
    /// Those that there were, with the stages that they were merged into: who saw them may still name them.
    #[serde(default)]
    pub merged: Vec<(Uuid, Uuid)>,
}

impl Stages {
    /// As they are stored.
    pub(crate) fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The stage with this id.
    pub fn find(&self, id: Uuid) -> Option<&Stage> {
        self.all.iter().find(|stage| stage.id == id)
    }

    /// The stage that is entered by whoever names this one: the one that it was or is being merged into, if any; the first
    /// open one, if none is named.
    pub fn entered_by(&self, id: Uuid) -> Option<&Stage> {
        if id.is_nil() {
            return self.all.iter().find(|stage| stage.kind == StageKind::Open);
        }
        let mut id = id;
        // Nothing is merged into what is merged itself, so there are no rounds; they would end here.
        for _ in 0..=self.all.len() + self.merged.len() {
            let heir = match self.find(id) {
                Some(stage @ Stage { merging_into: None, .. }) => return Some(stage),
                Some(stage) => stage.merging_into,
                None => self.merged.iter().find(|(gone, _)| *gone == id).map(|(_, heir)| *heir),
            };
            id = heir?;
        }
        None
    }

    /// One of these stages that is being merged, or into which another is: whatever merges is on its way there.
    pub(super) fn in_a_merge(&self, ids: &[Uuid]) -> Option<Uuid> {
        let merges = self.all.iter().filter_map(|stage| Some([stage.id, stage.merging_into?]));
        merges.flatten().find(|id| ids.contains(id))
    }

    /// Rules that take all of them to check.
    pub(crate) fn check(&self, before: Option<&Self>, found: &mut Violations) {
        if before == Some(self) || !found.is_clear(FIELD) {
            return;
        }
        if self.all.is_empty() {
            return found.add(FIELD, Flaw::missing());
        }
        if !StageKind::ALL.iter().all(|kind| self.all.iter().any(|stage| stage.kind == *kind)) {
            let rule = "must have at least one open, one won and one lost stage";
            found.add(FIELD, Flaw::new(Flaw::CONTRADICTION, rule));
        }
        for (index, stage) in self.all.iter().enumerate() {
            let (earlier, key) = (&self.all[..index], name_key(&stage.name));
            let mut flaw = |part, reason, rule| found.add(&format!("{FIELD}[{index}].{part}"), Flaw::new(reason, rule));
            if earlier.iter().any(|other| other.id == stage.id) {
                flaw("id", Flaw::CONTRADICTION, "another stage of the pipeline has this id");
            }
            if earlier.iter().any(|other| name_key(&other.name) == key) {
                flaw("name", Flaw::CONTRADICTION, "another stage of the pipeline has this name");
            }
            if self.merged.iter().any(|(gone, _)| *gone == stage.id) {
                flaw("id", Flaw::CONTRADICTION, "was merged into another stage");
            }
            if before.and_then(|before| before.find(stage.id)).is_some_and(|before| before.kind != stage.kind) {
                flaw("kind", Flaw::IMMUTABLE, "cannot be changed; add another stage");
            }
        }
    }
}

const FIELD: &str = "pipeline.stages";

impl TryFrom<String> for StageKind {
    type Error = serde_json::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        serde_json::from_value(text.into())
    }
}

impl TryFrom<String> for Stages {
    type Error = serde_json::Error;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        serde_json::from_str(&text)
    }
}

/// What is the service's to say of a stage is taken from before.
pub(super) fn read_stage(message: &pb::Stage, before: &[Stage], item: &mut Item<'_>) -> Stage {
    let id = if message.id.is_empty() { Ok(Uuid::now_v7()) } else { parse_id(&message.id) };
    let (id, kind) = (item.check("id", id), item.check("kind", StageKind::read(message.kind)));
    Stage {
        id,
        name: item.check("name", NAME.parse(&message.name)),
        kind,
        probability: item.check("probability", kind.probability(message.probability)),
        merging_into: before.iter().find(|stage| stage.id == id).and_then(|stage| stage.merging_into),
    }
}

pub(super) fn show_stage(stage: Stage) -> Result<pb::Stage, Error> {
    let Stage { id, name, kind, probability, merging_into } = stage;
    let merging_into_id = merging_into.map(|id| id.to_string()).unwrap_or_default();
    let kind = kind.shown().into();
    Ok(pb::Stage { id: id.to_string(), name, kind, probability: Some(probability), merging_into_id })
}
