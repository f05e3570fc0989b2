//! Colours by what they mean.

/// The colour of a line or a bar, by meaning; the style sheet knows which colour that is in which theme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// One of eight that can be told apart; the ninth begins again.
    Series(usize),
    /// As it should be.
    Good,
    /// Worth a look.
    Warning,
    /// Broken.
    Bad,
    /// Of less interest than the rest.
    Quiet,
}

impl Tone {
    /// The class that sets `--chart-tone`.
    #[must_use]
    pub fn class(self) -> String {
        match self {
            Self::Series(n) => format!("tone-{}", n % 8 + 1),
            Self::Good => "tone-good".to_owned(),
            Self::Warning => "tone-warning".to_owned(),
            Self::Bad => "tone-bad".to_owned(),
            Self::Quiet => "tone-quiet".to_owned(),
        }
    }
}
