//! Comments of the proto files, by what they stand above.

use std::collections::HashMap;

use prost_reflect::{DescriptorPool, FileDescriptor};

#[derive(Debug)]
pub(super) struct Comments {
    /// By file and, within it, by the path of the descriptor.
    files: HashMap<String, HashMap<Vec<i32>, String>>,
}

impl Comments {
    /// Empty where the descriptor set came without source info.
    pub(super) fn new(pool: &DescriptorPool) -> Self {
        Self { files: pool.files().map(|file| (file.name().to_owned(), comments_of(&file))).collect() }
    }

    pub(super) fn find(&self, file: &FileDescriptor, path: &[i32]) -> Option<&str> {
        self.files.get(file.name())?.get(path).map(String::as_str)
    }
}

fn comments_of(file: &FileDescriptor) -> HashMap<Vec<i32>, String> {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let locations = info.into_iter().flat_map(|info| &info.location);
    let commented = locations.filter_map(|location| {
        let text = location.leading_comments.as_deref().or(location.trailing_comments.as_deref())?;
        Some((location.path.clone(), trim_lines(text)))
    });
    commented.collect()
}

fn trim_lines(text: &str) -> String {
    text.trim().lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

/// The first sentence, without its full stop.
pub(super) fn summary(comment: &str) -> &str {
    let end = comment.find(". ").or_else(|| comment.find(".\n")).unwrap_or(comment.len());
    comment.get(..end).unwrap_or(comment).trim_end_matches('.')
}

/// What a comment gives as an example: `such as "retail"`.
pub(super) fn example(comment: &str) -> Option<&str> {
    let (_, after) = comment.split_once("such as \"")?;
    after.split_once('"').map(|(example, _)| example)
}
