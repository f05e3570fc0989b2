//! What a tour's actions ask of the gateways.

use super::{Action, Tour};
use crate::{
    control::{Command, Controls, Target},
    outbound::OutboundError,
    room::Room,
};

/// What an action asks of the control API; a line for the terminal asks nothing.
pub(crate) fn command(tour: &Tour, action: &Action) -> Option<Command> {
    let upstream = tour.upstream.clone();
    match action {
        Action::Policy(policy) => Some(Command::Policy { upstream, policy: *policy }),
        Action::Fault(fault) => {
            Some(Command::Break { upstream, replica: Target::One(tour.replica), fault: fault.clone() })
        }
        Action::Heal(true) => Some(Command::Heal { upstream, replica: Target::All }),
        Action::Heal(false) | Action::Command(_) => None,
    }
}

/// Asks it of the gateways.
pub(crate) async fn ask(action: &Action, tour: &Tour, controls: &Controls, room: &Room) -> Result<(), OutboundError> {
    let Some(command) = command(tour, action) else { return Ok(()) };
    // Where faults are off there is none to heal, and a tour that only switches policies goes on.
    if matches!(command, Command::Heal { .. }) && !room.look().faults_allowed {
        return Ok(());
    }
    controls.tell(&command).await
}
