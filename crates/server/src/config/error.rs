use std::fmt;

/// One setting and the rule that it breaks. Never its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadSetting {
    /// The variable.
    pub name: &'static str,
    /// What is wrong with it.
    pub rule: String,
}

impl BadSetting {
    pub(super) fn new(name: &'static str, rule: impl Into<String>) -> Self {
        Self { name, rule: rule.into() }
    }
}

impl fmt::Display for BadSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.rule)
    }
}

/// Every setting that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(Vec<BadSetting>);

impl ConfigError {
    pub(super) fn new(faults: Vec<BadSetting>) -> Self {
        Self(faults)
    }

    /// In the order in which the settings were read.
    pub fn faults(&self) -> &[BadSetting] {
        &self.0
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&faults.join("; "))
    }
}

impl std::error::Error for ConfigError {}
