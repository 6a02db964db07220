//! The API document: gathered from the routes, and made exact where what is derived from a type cannot be.

use std::collections::BTreeSet;

use axum::Router;
use serde_json::Value;
use utoipa::openapi::schema::{ArrayItems, Schema, SchemaType, Type};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, Response};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::Shared;

/// A Rust type's schema under the name that the type claims for it.
type Claim = (String, RefOr<Schema>);

/// Where names of schemas are looked up.
const SCHEMAS: &str = "#/components/schemas/";

/// Routes and what the document says of them. Names of schemas are kept as they are claimed, because in the document
/// the last type of a name takes the place of the others.
pub(crate) struct Routes {
    router: OpenApiRouter<Shared>,
    claims: Vec<Claim>,
}

impl Routes {
    /// None yet.
    pub(crate) fn new() -> Self {
        Self { router: OpenApiRouter::new(), claims: Vec::new() }
    }

    /// And these, from `routes!`.
    pub(crate) fn routes(mut self, (schemas, paths, methods): UtoipaMethodRouter<Shared>) -> Self {
        self.claims.extend(schemas.iter().cloned());
        Self { router: self.router.routes((schemas, paths, methods)), claims: self.claims }
    }

    /// And those.
    pub(crate) fn merge(mut self, others: Self) -> Self {
        self.claims.extend(others.claims);
        Self { router: self.router.merge(others.router), claims: self.claims }
    }

    /// With what the document does not speak of: layers, paths that it cannot describe.
    pub(crate) fn with(self, change: impl FnOnce(OpenApiRouter<Shared>) -> OpenApiRouter<Shared>) -> Self {
        Self { router: change(self.router), claims: self.claims }
    }

    /// Under a path, described by this document.
    pub(super) fn under(self, path: &str, document: OpenApi) -> Self {
        Self { router: OpenApiRouter::with_openapi(document).nest(path, self.router), claims: self.claims }
    }

    /// The routes, and the document.
    pub(super) fn split(self) -> (Router<Shared>, OpenApi) {
        let (router, mut document) = self.router.split_for_parts();
        name_items(&mut document);
        require_nulls(&mut document);
        type_problems(&mut document);
        (router, document)
    }
}

fn schemas(document: &mut OpenApi) -> impl Iterator<Item = (&String, &mut RefOr<Schema>)> {
    document.components.iter_mut().flat_map(|components| components.schemas.iter_mut())
}

/// Lists name what is on them, instead of saying it again.
fn name_items(document: &mut OpenApi) {
    for (name, schema) in schemas(document) {
        if let Some(item) = name.strip_prefix("List_")
            && let RefOr::T(Schema::Object(list)) = schema
            && let Some(RefOr::T(Schema::Array(items))) = list.properties.get_mut("items")
        {
            items.items = ArrayItems::RefOrSchema(Box::new(Ref::from_schema_name(item).into()));
        }
    }
}

/// In answers null is written, not left out: what may be null is always there. What is left out instead says
/// `nullable = false`. What is sent to the server may leave out what may be null.
fn require_nulls(document: &mut OpenApi) {
    let sent = sent(document);
    for (name, schema) in schemas(document) {
        if !sent.contains(name) {
            require(schema);
        }
    }
}

fn require(schema: &mut RefOr<Schema>) {
    let RefOr::T(schema) = schema else { return };
    match schema {
        Schema::Object(object) => {
            for (name, property) in &mut object.properties {
                require(property);
                if may_be_null(property) && !object.required.contains(name) {
                    object.required.push(name.clone());
                }
            }
        }
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items {
                require(items);
            }
        }
        Schema::AllOf(all) => all.items.iter_mut().for_each(require),
        Schema::OneOf(one) => one.items.iter_mut().for_each(require),
        _ => {}
    }
}

fn may_be_null(schema: &RefOr<Schema>) -> bool {
    let null = |kind: &SchemaType| match kind {
        SchemaType::Type(kind) => *kind == Type::Null,
        SchemaType::Array(kinds) => kinds.contains(&Type::Null),
        SchemaType::AnyValue => false,
    };
    match schema {
        RefOr::T(Schema::Object(object)) => null(&object.schema_type),
        RefOr::T(Schema::Array(array)) => null(&array.schema_type),
        RefOr::T(Schema::OneOf(one)) => one.items.iter().any(may_be_null),
        _ => false,
    }
}

/// The schemas of what is sent to the server.
fn sent(document: &OpenApi) -> BTreeSet<String> {
    let document = serde_json::to_value(document).expect("the document is plain data");
    let mut found = BTreeSet::new();
    let operations = document["paths"].as_object().into_iter().flat_map(|paths| paths.values());
    let mut waiting: Vec<&Value> = operations
        .flat_map(|item| item.as_object().into_iter().flat_map(|methods| methods.values()))
        .flat_map(|operation| [&operation["requestBody"], &operation["parameters"]])
        .collect();
    while let Some(value) = waiting.pop() {
        for name in references(value).into_iter().filter_map(|target| target.strip_prefix(SCHEMAS)) {
            if found.insert(name.to_owned()) {
                waiting.push(&document["components"]["schemas"][name]);
            }
        }
    }
    found
}

/// What the `$ref`s in it point to.
fn references(value: &Value) -> Vec<&str> {
    match value {
        Value::Object(fields) => {
            let own = fields.get("$ref").and_then(Value::as_str);
            own.into_iter().chain(fields.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

/// Problems have a media type of their own.
fn type_problems(document: &mut OpenApi) {
    let problem = RefOr::Ref(Ref::from_schema_name("Problem"));
    let operations = document.paths.paths.values_mut().flat_map(|item| {
        [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.patch,
            &mut item.delete,
            &mut item.head,
            &mut item.options,
        ]
    });
    for response in operations.flatten().flat_map(|operation| operation.responses.responses.values_mut()) {
        let is_problem =
            |body: &RefOr<Content>| matches!(body, RefOr::T(body) if body.schema.as_ref() == Some(&problem));
        if let RefOr::T(Response { content, .. }) = response
            && content.get("application/json").is_some_and(is_problem)
            && let Some(body) = content.shift_remove("application/json")
        {
            content.insert("application/problem+json".to_owned(), body);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use utoipa_axum::routes;

    mod one {
        #[derive(utoipa::ToSchema)]
        #[allow(dead_code)]
        pub(super) struct Status {
            online: bool,
        }

        #[utoipa::path(get, path = "/one", responses((status = 200, body = Status)))]
        pub(super) async fn get_one() {}
    }

    mod other {
        #[derive(utoipa::ToSchema)]
        #[allow(dead_code)]
        pub(super) struct Status {
            pending: Option<bool>,
        }

        #[utoipa::path(get, path = "/other", responses((status = 200, body = Status)))]
        pub(super) async fn get_other() {}
    }

    /// Names that types with different schemas claim.
    fn collisions(routes: &Routes) -> BTreeSet<&str> {
        let mut first = BTreeMap::new();
        let mut found = BTreeSet::new();
        for (name, schema) in &routes.claims {
            if *first.entry(name).or_insert(schema) != schema {
                found.insert(name.as_str());
            }
        }
        found
    }

    #[test]
    fn two_types_of_one_name_are_found() {
        let routes = Routes::new().routes(routes!(one::get_one)).routes(routes!(other::get_other));
        assert_eq!(collisions(&routes), BTreeSet::from(["Status"]));
    }

    #[test]
    fn no_two_types_claim_one_name() {
        let api = super::super::api();
        assert!(api.claims.len() > 100, "the claims are gathered");
        assert_eq!(collisions(&api), BTreeSet::new(), "give each its own: #[schema(as = …)]");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        let (_, document) = super::super::api().split();
        let document = serde_json::to_value(&document).unwrap();
        let dangling = |document: &Value, target: &str| document.pointer(target.trim_start_matches('#')).is_none();
        let targets = references(&document);
        assert!(targets.len() > 100, "there are references");
        let lost: Vec<_> = targets.into_iter().filter(|target| dangling(&document, target)).collect();
        assert_eq!(lost, Vec::<&str>::new());
        assert!(dangling(&document, "#/components/schemas/Nothing"));
    }

    #[test]
    fn answers_hold_what_may_be_null_and_questions_need_not() {
        let (_, document) = super::super::api().split();
        let document = serde_json::to_value(&document).unwrap();
        let required = |name: &str, field: &str| {
            let schema = &document["components"]["schemas"][name];
            assert!(schema["properties"][field].is_object(), "{name} has {field}");
            schema["required"].as_array().is_some_and(|fields| fields.iter().any(|f| f == field))
        };
        assert!(required("CaseView", "closed_at"));
        assert!(required("List_CaseView", "next_cursor"));
        assert!(!required("List_CaseView", "total"), "left out unless it was asked for");
        assert!(!required("Problem", "errors"), "left out when there are none");
        assert!(!required("AccountInput", "user_name"));
    }
}
