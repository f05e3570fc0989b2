//! A tree of path segments, built once.
//!
//! A literal beats `*`, `*` beats `**`, and a more specific path without the method asked for gives way to a less
//! specific one that has it. Custom verbs are stricter: where the last segment ends in a `:verb` that some matching
//! template has, only templates with that verb count, so that `GET /v1/accounts/7:undelete` is a wrong method and not
//! an account called `7:undelete`.

use std::borrow::Cow;

use http::Method;

use crate::{
    RouteError,
    percent::{self, Slash},
    template::{Segment, Template},
};

/// Position of a route in whatever list the caller keeps.
pub(crate) type RouteIndex = usize;

#[derive(Debug, Default)]
pub(crate) struct Router {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    /// Sorted by text.
    literals: Vec<(String, Node)>,
    one: Option<Box<Node>>,
    /// Routes that end here.
    ends: Vec<End>,
    /// Routes whose `**` takes all that follows.
    rest: Vec<End>,
}

#[derive(Debug)]
struct End {
    verb: Option<String>,
    method: Method,
    route: RouteIndex,
}

impl Router {
    /// Adds a route; the error is the route that has the same method and path already.
    pub(crate) fn insert(&mut self, method: Method, template: &Template, route: RouteIndex) -> Result<(), RouteIndex> {
        let mut node = &mut self.root;
        let mut takes_rest = false;
        for segment in &template.segments {
            match segment {
                Segment::Literal(text) => node = node.literal(text),
                Segment::One => node = node.one.get_or_insert_default(),
                Segment::Rest => takes_rest = true,
            }
        }
        let ends = if takes_rest { &mut node.rest } else { &mut node.ends };
        if let Some(taken) = ends.iter().find(|end| end.method == method && end.verb == template.verb) {
            return Err(taken.route);
        }
        ends.push(End { verb: template.verb.clone(), method, route });
        Ok(())
    }

    /// The route, and the path without its verb.
    pub(crate) fn find<'p>(&self, method: &Method, path: &'p str) -> Result<(RouteIndex, &'p str), RouteError> {
        if let Some((bare, verb)) = split_verb(path) {
            match self.find_with(method, bare, Some(verb)) {
                Err(RouteError::NotFound) => {}
                found => return found.map(|route| (route, bare)),
            }
        }
        self.find_with(method, path, None).map(|route| (route, path))
    }

    fn find_with(&self, method: &Method, path: &str, verb: Option<&str>) -> Result<RouteIndex, RouteError> {
        let rest = path.strip_prefix('/').ok_or(RouteError::NotFound)?;
        let mut found = None;
        self.root.visit(Some(rest), verb, &mut |end| {
            let fits = end.method == *method;
            if fits {
                found = Some(end.route);
            }
            fits
        });
        found.ok_or_else(|| self.refusal(rest, verb))
    }

    /// Why nothing was found: walks the tree again, so that the usual case need not collect methods.
    fn refusal(&self, rest: &str, verb: Option<&str>) -> RouteError {
        let mut allow: Vec<Method> = Vec::new();
        self.root.visit(Some(rest), verb, &mut |end| {
            if !allow.contains(&end.method) {
                allow.push(end.method.clone());
            }
            false
        });
        allow.sort_by(|a, b| a.as_str().cmp(b.as_str()));
        if allow.is_empty() { RouteError::NotFound } else { RouteError::MethodNotAllowed { allow } }
    }
}

impl Node {
    fn literal(&mut self, text: &str) -> &mut Self {
        let at = match self.literals.binary_search_by(|(other, _)| other.as_str().cmp(text)) {
            Ok(at) => at,
            Err(at) => {
                self.literals.insert(at, (text.to_owned(), Self::default()));
                at
            }
        };
        &mut self.literals[at].1
    }

    fn find_literal(&self, text: &str) -> Option<&Self> {
        let at = self.literals.binary_search_by(|(other, _)| other.as_str().cmp(text)).ok()?;
        self.literals.get(at).map(|(_, node)| node)
    }

    /// Shows `accept` the ends that match, the most specific first, until it says yes.
    fn visit(&self, path: Option<&str>, verb: Option<&str>, accept: &mut impl FnMut(&End) -> bool) -> bool {
        let Some(path) = path else {
            return offer(&self.ends, verb, accept) || offer(&self.rest, verb, accept);
        };
        let (segment, tail) = path.split_once('/').map_or((path, None), |(head, tail)| (head, Some(tail)));
        if segment.is_empty() {
            return false;
        }
        let literal = percent::decode(segment, Slash::Decode).unwrap_or(Cow::Borrowed(segment));
        self.find_literal(&literal).is_some_and(|node| node.visit(tail, verb, accept))
            || self.one.as_ref().is_some_and(|node| node.visit(tail, verb, accept))
            || (!path.split('/').any(str::is_empty) && offer(&self.rest, verb, accept))
    }
}

fn offer(ends: &[End], verb: Option<&str>, accept: &mut impl FnMut(&End) -> bool) -> bool {
    ends.iter().filter(|end| end.verb.as_deref() == verb).any(accept)
}

/// The verb of a path follows the last `:` of its last segment.
fn split_verb(path: &str) -> Option<(&str, &str)> {
    path.rsplit_once(':').filter(|(_, verb)| !verb.contains('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router() -> Router {
        let routes = [
            (Method::GET, "/v1/accounts"),
            (Method::POST, "/v1/accounts"),
            (Method::GET, "/v1/accounts/{id}"),
            (Method::POST, "/v1/accounts/search"),
            (Method::GET, "/v1/accounts:batchGet"),
            (Method::POST, "/v1/accounts/{id}:undelete"),
            (Method::GET, "/v1/{name=files/**}"),
            (Method::GET, "/v1/files/{id}/meta"),
            (Method::GET, "/v1/{kind}/{id}/meta"),
        ];
        let mut router = Router::default();
        for (index, (method, template)) in routes.into_iter().enumerate() {
            router.insert(method, &Template::parse(template).unwrap(), index).unwrap();
        }
        router
    }

    #[test]
    fn the_most_specific_route_answers() {
        let router = router();
        let check = |method: Method, path: &str, expected: usize| {
            assert_eq!(router.find(&method, path).map(|(route, _)| route), Ok(expected), "{method} {path}");
        };
        check(Method::GET, "/v1/accounts", 0);
        check(Method::POST, "/v1/accounts", 1);
        check(Method::GET, "/v1/accounts/7", 2);
        check(Method::GET, "/v1/accounts/7:8", 2);
        check(Method::GET, "/v1/%61ccounts/7", 2);
        check(Method::GET, "/v1/accounts/search", 2);
        check(Method::POST, "/v1/accounts/search", 3);
        check(Method::GET, "/v1/accounts:batchGet", 4);
        check(Method::POST, "/v1/accounts/7:undelete", 5);
        check(Method::POST, "/v1/accounts/7:8:undelete", 5);
        check(Method::GET, "/v1/files/a/b/c", 6);
        check(Method::GET, "/v1/files", 6);
        check(Method::GET, "/v1/files/a/meta", 7);
        check(Method::GET, "/v1/other/a/meta", 8);
    }

    #[test]
    fn refusals_tell_a_missing_path_from_a_wrong_method() {
        let router = router();
        let check = |method: Method, path: &str, expected: Option<&str>| {
            let refusal = router.find(&method, path).unwrap_err();
            assert_eq!(refusal.allow_header().as_deref(), expected, "{method} {path}");
        };
        check(Method::DELETE, "/v1/accounts", Some("GET, POST"));
        check(Method::GET, "/v1/accounts/7:undelete", Some("POST"));
        check(Method::PUT, "/v1/accounts/search", Some("GET, POST"));
        for path in [
            "",
            "/",
            "//",
            "v1/accounts",
            "/v1/accounts/",
            "/v1//7",
            "/v2",
            "/v1/accounts/7/8",
            "/v1/files//a",
            ":",
            "/v1:x",
        ] {
            check(Method::GET, path, None);
        }
    }

    #[test]
    fn the_same_path_under_other_names_is_a_duplicate() {
        let mut router = router();
        let same = Template::parse("/v1/accounts/{other}").unwrap();
        assert_eq!(router.insert(Method::GET, &same, 99), Err(2));
        assert_eq!(router.insert(Method::PUT, &same, 99), Ok(()));
    }
}
