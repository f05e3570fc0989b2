#![doc = include_str!("../README.md")]

mod heat;
mod labels;
mod line;
mod number;
mod scale;
mod text;
mod tone;

pub use heat::{HeatCell, HeatTable};
pub use line::{LineChart, Series, Stretch};
pub use number::short;
pub use text::escape;
pub use tone::Tone;

/// The style sheet that every chart on a page shares: colours as CSS variables, light and dark by the reader's choice.
///
/// A page with a switch of its own sets `data-theme="light"` or `"dark"` on its root element.
pub const STYLE: &str = include_str!("style.css");
