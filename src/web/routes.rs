//! Which request gets which response.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::access::{AccessRules, COOKIE};
use super::answers::{detail, piece};
use super::asking::{KIND, Senders, ask};
use super::assets;
use super::connection::WebConnection;
use super::events::EventHub;
use super::pictures::{NamedPicture, sheet};
use super::renditions::RenditionMaker;
use super::request::{HttpMethod, HttpRequest, parameters};
use super::response::{HttpRefusal, WebResponse};
use crate::config::Config;
use crate::files::FileAt;
use crate::sandbox::Confinement;

/// The map that `artificio map` writes if nothing else is said, below the root.
const MAP: &str = "artificio-map.html";
/// The map's own scripts run, apart from this page: it cannot ask for anything here.
const POLICY_OF_MAP: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; sandbox allow-scripts";
/// A wrong token costs this long.
const PAUSE_AFTER_WRONG_TOKEN: Duration = Duration::from_secs(1);
/// A version of a picture stays the same as long as its answer does.
const KEPT_BY_BROWSERS: &str = "private, max-age=86400";

/// All that requests are answered from.
pub struct Site {
    /// Holds the map, if there is one.
    pub root: PathBuf,
    /// The settings at the start.
    pub config: Config,
    /// Who may ask.
    pub access: AccessRules,
    /// What this process is confined to.
    pub confinement: Confinement,
    /// The answers and the status.
    pub hub: EventHub,
    /// Makes small versions of pictures.
    pub renditions: RenditionMaker,
    /// Those who are sending questions.
    pub senders: Senders,
}

impl Site {
    /// Answers one request.
    ///
    /// # Errors
    /// The response is not taken.
    pub fn answer(&self, request: &HttpRequest, connection: &mut WebConnection) -> io::Result<()> {
        let has_body = request.method != HttpMethod::Head;
        if request.header("expect").is_some_and(|expect| expect.eq_ignore_ascii_case("100-continue")) {
            io::Write::write_all(connection, b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        if let Err(refusal) = self.access.check_origin(request) {
            return refusal.response().write(connection, has_body);
        }
        let is_known = self.access.has_token(request);
        if is_known && (request.method, request.path.as_str()) == (HttpMethod::Get, "/events") {
            return self.hub.stream(connection);
        }
        let response = match request.method {
            HttpMethod::Post => self.post(request, connection, is_known),
            HttpMethod::Get | HttpMethod::Head if is_known => self.get(request),
            // Its style holds nothing of anybody's.
            _ if request.path == "/page/page.css" => assets::asset(&request.path).ok_or_else(HttpRefusal::not_found),
            _ if request.path == "/" => Ok(assets::login(401)),
            _ => Err(HttpRefusal::new(401, "the page asks for its token: open it again")),
        };
        response.unwrap_or_else(|refusal| refusal.response()).write(connection, has_body)
    }

    fn get(&self, request: &HttpRequest) -> Result<WebResponse, HttpRefusal> {
        let folders = &self.config.folders;
        match request.path.as_str() {
            "/" => Ok(assets::page()),
            "/answers" => {
                let has_map = FileAt::below(&self.root, Path::new(MAP)).stamp().is_ok();
                let mut piece = self.hub.look(|records, _| piece(request, records));
                piece["has_map"] = has_map.into();
                Ok(WebResponse::json(&piece))
            }
            "/answer" => Ok(WebResponse::json(&detail(&folders.answer, request.parameter("key").unwrap_or_default())?)),
            "/picture" => self.picture(request),
            "/sheet" => sheet(request, folders),
            "/map" => {
                let opened = FileAt::below(&self.root, Path::new(MAP)).open();
                let (file, stamp) = opened.map_err(|_| HttpRefusal::new(404, "there is no map yet: artificio map"))?;
                Ok(WebResponse::file("text/html; charset=utf-8", file, stamp.size).under(POLICY_OF_MAP))
            }
            path => assets::asset(path).ok_or_else(HttpRefusal::not_found),
        }
    }

    /// A picture that an answer names: the file itself, or a version of a `side` in pixels.
    fn picture(&self, request: &HttpRequest) -> Result<WebResponse, HttpRefusal> {
        let picture = NamedPicture::of_request(request, &self.config.folders)?;
        let Some(side) = request.parameter("side") else { return picture.original() };
        let side = side.parse().map_err(|_| HttpRefusal::not_found())?;
        let version = self.renditions.version(&picture, side, &self.config)?;
        Ok(WebResponse::bytes("image/jpeg", &*version).with("Cache-Control", KEPT_BY_BROWSERS))
    }

    fn post(
        &self,
        request: &HttpRequest,
        connection: &mut WebConnection,
        is_known: bool,
    ) -> Result<WebResponse, HttpRefusal> {
        match request.path.as_str() {
            "/token" => self.log_in(request, connection),
            _ if !is_known => Err(HttpRefusal::new(401, "the page asks for its token: open it again")),
            "/ask" if request.header("content-type") != Some(KIND) => {
                Err(HttpRefusal::new(415, format!("a question has the media type {KIND}")))
            }
            "/ask" => {
                let _place = self.senders.place()?;
                if self.confinement.has_lost(&self.config.folders.query, true) {
                    let what =
                        "the query folder is another one than when the page was started: start `artificio serve` again";
                    return Err(HttpRefusal::busy(what));
                }
                let waiting = self.hub.look(|_, status| status.waiting);
                ask(request.body(connection), request.length, waiting, &self.config)
                    .map(|reply| WebResponse::json(&reply))
            }
            _ => Err(HttpRefusal::not_found()),
        }
    }

    /// From the form that asks for the token.
    fn log_in(&self, request: &HttpRequest, connection: &mut WebConnection) -> Result<WebResponse, HttpRefusal> {
        let form = request.text(connection, 4 << 10)?;
        let given = parameters(&form).into_iter().find(|(name, _)| name == "token").map(|(_, value)| value);
        let Some(token) = self.access.token.as_ref().filter(|token| given.is_some_and(|given| token.is(&given))) else {
            std::thread::sleep(PAUSE_AFTER_WRONG_TOKEN);
            return Ok(assets::login(401));
        };
        let cookie = format!("{COOKIE}={}; HttpOnly; SameSite=Strict; Path=/; Max-Age=31536000", token.cookie());
        Ok(WebResponse::bytes("text/plain", "").with_status(303).with("Location", "/").with("Set-Cookie", cookie))
    }
}
