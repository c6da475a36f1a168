//! Who uses the store over its addresses, with a session as the messenger opens it.

use axum::body::Body;
use axum::http::{Request, header};
use serde_json::{Value, json};
use sticker_protocol::token::UserId;
use sticker_store::account::launch::{Guest, make_code, open_session};
use sticker_store::app::App;

use crate::town::{Answer, Town, send, user};

/// Somebody in the messenger's webview.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) id: UserId,
    app: App,
    cookie: String,
}

/// Opens the store for a user.
pub(crate) async fn visits(app: &App, name: &str) -> Person {
    visits_as(app, Guest { user: user(name), locale: None, platform: None, partner: None }).await
}

/// The same for a user whose partner the messenger names.
pub(crate) async fn visits_with_partner(app: &App, name: &str, partner: &str) -> Person {
    let partner = Some(user(partner));
    visits_as(app, Guest { user: user(name), locale: None, platform: None, partner }).await
}

async fn visits_as(app: &App, guest: Guest) -> Person {
    let code = make_code(app, &guest, 60).await.unwrap();
    let secret = open_session(app, &code.code).await.unwrap().unwrap();
    Person { id: guest.user, app: App::clone(app), cookie: format!("session={secret}") }
}

impl Person {
    pub(crate) async fn gets(&self, path: &str) -> Answer {
        self.sends(Request::get(path), Body::empty()).await
    }

    pub(crate) async fn posts(&self, path: &str, body: &Value) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
        self.sends(request, Body::from(body.to_string())).await
    }

    pub(crate) async fn submits(&self, path: &str, form: &str) -> Answer {
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.sends(request, Body::from(form.to_owned())).await
    }

    async fn sends(&self, request: axum::http::request::Builder, body: Body) -> Answer {
        let request = request.header(header::COOKIE, &self.cookie).body(body).unwrap();
        Answer::of(send(&self.app, request).await).await
    }

    /// Orders the pack with test money, as a gift or for themselves.
    pub(crate) async fn orders(&self, town: &Town, gift: Option<&str>) -> String {
        let mut wish = json!({ "pack_id": town.pack, "provider": "sandbox" });
        if let Some(gift) = gift {
            wish["gift"] = gift.into();
        }
        let made = self.posts("/v1/orders", &wish).await;
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()["id"].as_str().unwrap().to_owned()
    }

    /// Pays for an order, and says how it stands.
    pub(crate) async fn pays(&self, order: &str) -> Value {
        let receipt = json!({ "transaction": format!("t-{order}") });
        let paid = self.posts(&format!("/v1/orders/{order}/receipts"), &receipt).await;
        assert_eq!(paid.status, 200, "{}", paid.text);
        paid.json()
    }

    /// A paid gift with a code: the order and the code.
    pub(crate) async fn gives(&self, town: &Town) -> (String, String) {
        let order = self.orders(town, Some("code")).await;
        let paid = self.pays(&order).await;
        assert_eq!((&paid["state"], &paid["gift"]["state"]), (&json!("paid"), &json!("waiting")), "{paid}");
        (order, code_in(&paid))
    }

    pub(crate) async fn order(&self, id: &str) -> Value {
        self.gets(&format!("/v1/orders/{id}")).await.json()
    }

    /// What a giver does about their gift.
    pub(crate) async fn acts(&self, order: &str, action: &str) -> Answer {
        self.posts(&format!("/v1/orders/{order}/gift"), &json!({ "action": action })).await
    }

    pub(crate) async fn redeems(&self, code: &str) -> Answer {
        self.posts("/v1/codes", &json!({ "code": code })).await
    }

    /// The origin of the one pack there is, where they own it.
    pub(crate) async fn owns(&self) -> Option<String> {
        let library = self.gets("/v1/library").await.json();
        Some(library["packs"].get(0)?["origin"].as_str().unwrap().to_owned())
    }
}

/// The code of an order's gift.
pub(crate) fn code_in(order: &Value) -> String {
    order["gift"]["code"].as_str().unwrap_or_else(|| panic!("no code in {order}")).to_owned()
}
