//! The streets layer that an agency brings, and places by their names.

use crate::support::Site;
use domain::account::Role;
use store::on_both;
use store::testing::TestDatabase;

on_both!(a_layer_is_drawn_and_searched, |database: TestDatabase| async move {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("streets.geojson");
    let layer = sightline_server::demo::city::streets_layer();
    std::fs::write(&file, layer.to_string()).unwrap();
    let site = Site::with(database, |settings| settings.streets = Some(file)).await;
    site.test.account("ana", &site.test.host, &[(Role::Investigator, None)]).await;
    assert_eq!(site.get("/map/streets.geojson", None).await.status, 401);
    assert_eq!(site.get("/places?q=5th%20%26%20Main", None).await.status, 401);

    let ana = site.sign_in("ana").await;
    let drawn = site.get("/map/streets.geojson", Some(&ana)).await;
    assert_eq!((drawn.status, &drawn.json), (200, &layer));
    let tag = drawn.headers["etag"].to_str().unwrap();
    let again = site.call("GET", "/map/streets.geojson", Some(&ana), None, &[("if-none-match", tag)]).await;
    assert_eq!((again.status, again.body.len()), (304, 0));

    let places = site.get("/places?q=5th%20%26%20Main", Some(&ana)).await;
    assert_eq!(places.json["items"][0]["name"], "5th Street & Main Avenue");
    assert!(places.json["items"][0]["position"]["lat"].is_f64());
    assert_eq!(site.get("/places", Some(&ana)).await.status, 422);
});

on_both!(without_a_layer_nothing_is_found, |database: TestDatabase| async move {
    let site = Site::new(database).await;
    site.test.account("ana", &site.test.host, &[(Role::Investigator, None)]).await;
    let ana = site.sign_in("ana").await;
    assert_eq!(site.get("/map/streets.geojson", Some(&ana)).await.status, 404);
    let places = site.get("/places?q=main", Some(&ana)).await;
    assert_eq!((places.status, places.json["items"].as_array().map(Vec::len)), (200, Some(0)));
});
