use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use opentelemetry::KeyValue;

use crate::names::label;

/// The name under which calls of unknown methods are counted, so that a caller cannot invent label values.
pub const OTHER: &str = "_OTHER";

/// One method with everything that its spans and metrics need, made once and kept for the life of the process.
#[derive(Debug)]
pub struct Method {
    /// `crm.customers.v1.AccountService/GetAccount`, or [`OTHER`].
    pub name: &'static str,
    pub(super) labels: [KeyValue; 1],
    pub(super) ok: [KeyValue; 2],
    pub(super) error: [KeyValue; 2],
    pub(super) cancelled: [KeyValue; 2],
}

impl Method {
    fn new(name: &'static str) -> Self {
        let method = KeyValue::new(label::METHOD, name);
        let with = |outcome: &'static str| [method.clone(), KeyValue::new(label::OUTCOME, outcome)];
        Self { name, ok: with("ok"), error: with("error"), cancelled: with("cancelled"), labels: [method] }
    }

    /// The method's name as a static string. Each name is leaked once per process: the set of methods is small and fixed.
    fn intern(name: &str) -> &'static Self {
        static INTERNED: LazyLock<Mutex<HashMap<String, &'static Method>>> = LazyLock::new(Mutex::default);
        let mut interned = INTERNED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(method) = interned.get(name) {
            return method;
        }
        let method: &'static Self = Box::leak(Box::new(Self::new(Box::leak(name.to_owned().into_boxed_str()))));
        interned.insert(name.to_owned(), method);
        method
    }
}

/// The methods that a process knows: they bound the `method` label.
#[derive(Clone, Debug)]
pub struct Methods {
    by_name: Arc<HashMap<&'static str, &'static Method>>,
    other: &'static Method,
}

impl Methods {
    /// From full method names, with or without the leading slash of their paths.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let methods = names.into_iter().map(|name| Method::intern(name.trim_start_matches('/')));
        Self { by_name: Arc::new(methods.map(|method| (method.name, method)).collect()), other: Method::intern(OTHER) }
    }

    /// The method that a request's path names, or the one that stands for all others.
    pub fn find(&self, path: &str) -> &'static Method {
        let name = path.strip_prefix('/').unwrap_or(path);
        self.by_name.get(name).copied().unwrap_or(self.other)
    }
}
