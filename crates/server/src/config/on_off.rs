use std::str::FromStr;

/// A setting that is written `on` or `off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnOff(pub bool);

/// What is written is neither.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it must be on or off")]
pub struct NeitherOnNorOff;

impl FromStr for OnOff {
    type Err = NeitherOnNorOff;

    fn from_str(text: &str) -> Result<Self, NeitherOnNorOff> {
        match text {
            "on" => Ok(Self(true)),
            "off" => Ok(Self(false)),
            _ => Err(NeitherOnNorOff),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_else_is_taken() {
        assert_eq!(["on", "off"].map(str::parse), [Ok(OnOff(true)), Ok(OnOff(false))]);
        for text in ["", "On", "true", "1", "yes"] {
            assert_eq!(text.parse::<OnOff>(), Err(NeitherOnNorOff), "{text}");
        }
    }
}
