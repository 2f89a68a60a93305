//! Kills the service at random moments of trainings, and compares all embeddings in the catalog with new ones after each:
//! `cargo bench --profile dev --bench exchange_kills -- PROGRAM [TRAININGS] [PICTURES]`.
//!
//! Between two trainings some pictures go and others come back. Every fifth training ends in peace, which tells how long one takes;
//! half of the kills come while embeddings are being stored, the others anywhere in that time. Printed are the trainings that were cut
//! off, by what they were doing. At the end a wrong embedding is planted, which must be found.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use artificio::base::parallel;
use artificio::catalog::{Catalog, ModelRow};
use artificio::config::{Config, Encoder};
use artificio::model::{Backbone, FeatureKind, Model};
use artificio::picture::Hash;
use artificio_demo::{Food, draw};
use artificio_random::Random;
use serde_json::Value;

const SETTINGS: &str =
    "[watch]\nsettle_ms = 50\n[model]\nmin_train = 20\nretrain_after = 10\nretrain_growth = 0.0\nquiet_s = 0\n";
/// Share of the pictures that are away at a time.
const AWAY: usize = 6;
/// Of so many trainings one may end.
const ENDING: usize = 5;
/// Embeddings are computed one at a time by a worker and many at a time by an exchange, and kept as float32.
const ROUNDING: f32 = 0.01;
const PATIENCE: Duration = Duration::from_secs(300);

/// What a comparison found.
#[derive(Debug, Default, Clone, Copy)]
struct Compared {
    right: usize,
    wrong: usize,
    /// Of inventory pictures, not there under the model that serves: made again at the next start.
    missing: usize,
}

struct Place {
    root: PathBuf,
    program: PathBuf,
    pictures: Vec<PathBuf>,
    random: Random,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let program = fs::canonicalize(arguments.first().ok_or("PROGRAM is missing")?)?;
    let number = |at: usize, default: usize| arguments.get(at).map_or(Ok(default), |text| text.parse());
    let (trainings, count) = (number(1, 100)?, number(2, 1_200)?);
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("exchange-kills-{}", std::process::id()));
    let mut place = Place::fill(root, program, count)?;
    let (mut all, mut cut_off, mut usual) = (Compared::default(), BTreeMap::<String, usize>::new(), Duration::ZERO);
    for training in 1..=trainings {
        place.exchange_pictures()?;
        let mut daemon = place.start()?;
        let id = place.wait_for_training(&mut daemon)?;
        let begun = Instant::now();
        let watched = Watched::new(&place.state(), id)?;
        let moment = match training % ENDING {
            1 => Moment::AtTheEnd,
            _ if place.random.chance(0.5) => Moment::WhileStoring,
            _ => Moment::After(usual.mul_f32(place.random.between(0.0, 1.0))),
        };
        let is_now = |_: &mut Place| Ok((watched.is_over()? || watched.has_come(moment, begun)?).then_some(()));
        place.wait(&mut daemon, is_now)?;
        let doing = place.stage(&watched)?;
        daemon.kill()?;
        daemon.wait()?;
        let is_cut_off = !watched.is_over()?;
        match moment {
            Moment::AtTheEnd => usual = begun.elapsed(),
            // It was shorter than that.
            Moment::After(_) if !is_cut_off => usual = begun.elapsed().min(usual),
            _ => {}
        }
        if is_cut_off {
            *cut_off.entry(doing.clone()).or_default() += 1;
        }
        let found = place.compare()?;
        all = Compared {
            right: all.right + found.right,
            wrong: all.wrong + found.wrong,
            missing: all.missing + found.missing,
        };
        let how = if is_cut_off { format!("cut off while {doing}") } else { "had ended".into() };
        println!("training {training}, {}, {how}: {found:?}", watched.id);
        if found.wrong > 0 {
            return Err(format!("{} wrong embeddings, kept in {}", found.wrong, place.root.display()).into());
        }
    }
    let killed: usize = cut_off.values().sum();
    println!(
        "{trainings} trainings, {killed} of them cut off, by what they were doing: {cut_off:?}; embeddings: {all:?}"
    );
    place.assert_finds_a_wrong_one()?;
    fs::remove_dir_all(&place.root)?;
    Ok(())
}

/// When the service is killed.
#[derive(Clone, Copy)]
enum Moment {
    AtTheEnd,
    WhileStoring,
    After(Duration),
}

/// A training, as the catalog shows it.
struct Watched {
    catalog: Catalog,
    id: String,
    /// Contents whose embeddings are among the first to be stored.
    first: Vec<Hash>,
}

impl Watched {
    fn new(state: &Path, id: String) -> Result<Self, Box<dyn Error>> {
        let catalog = Catalog::open_reader(state)?;
        let page = catalog.next_features(None, Backbone::VERSION, Backbone::WIDTH, 50)?;
        Ok(Self { catalog, id, first: page.contents })
    }

    fn is_storing(&self) -> Result<bool, Box<dyn Error>> {
        for hash in &self.first {
            if self.catalog.embedding(*hash, &self.id)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the model is stored, be it refused.
    fn is_over(&self) -> Result<bool, Box<dyn Error>> {
        Ok(self.catalog.model(&self.id)?.is_some())
    }

    fn has_come(&self, moment: Moment, begun: Instant) -> Result<bool, Box<dyn Error>> {
        match moment {
            Moment::AtTheEnd => Ok(false),
            Moment::WhileStoring => self.is_storing(),
            Moment::After(time) => Ok(begun.elapsed() >= time),
        }
    }
}

impl Place {
    fn fill(root: PathBuf, program: PathBuf, count: usize) -> Result<Self, Box<dyn Error>> {
        let inventory = Config::default().folders.below(&root).inventory;
        fs::create_dir_all(&inventory)?;
        fs::create_dir_all(root.join("away"))?;
        fs::create_dir_all(root.join("config"))?;
        fs::write(root.join("config/artificio.toml"), SETTINGS)?;
        let pictures: Vec<PathBuf> = (0..count).map(|number| format!("{number}.jpg").into()).collect();
        let drawn = parallel::map(count, |number| {
            draw(Food::ALL[number % Food::ALL.len()], number as u64).save(inventory.join(&pictures[number]))
        });
        drawn.into_iter().collect::<Result<Vec<()>, _>>()?;
        Ok(Self { root, program, pictures, random: Random::new(7) })
    }

    fn state(&self) -> PathBuf {
        Config::default().folders.below(&self.root).state
    }

    /// Other pictures than before are away.
    fn exchange_pictures(&mut self) -> Result<(), Box<dyn Error>> {
        let inventory = Config::default().folders.below(&self.root).inventory;
        let away = self.root.join("away");
        for name in fs::read_dir(&away)?.flatten().map(|entry| entry.file_name()) {
            fs::rename(away.join(&name), inventory.join(&name))?;
        }
        self.random.shuffle(&mut self.pictures);
        for name in &self.pictures[..self.pictures.len() / AWAY] {
            fs::rename(inventory.join(name), away.join(name))?;
        }
        Ok(())
    }

    fn start(&self) -> Result<Child, Box<dyn Error>> {
        let log = File::create(self.root.join("log"))?;
        let mut command = Command::new(&self.program);
        Ok(command.arg("--root").arg(&self.root).arg("run").stdout(log.try_clone()?).stderr(log).spawn()?)
    }

    fn wait<T>(
        &mut self,
        daemon: &mut Child,
        mut find: impl FnMut(&mut Self) -> Result<Option<T>, Box<dyn Error>>,
    ) -> Result<T, Box<dyn Error>> {
        let begun = Instant::now();
        loop {
            if let Some(found) = find(self)? {
                return Ok(found);
            }
            if daemon.try_wait()?.is_some() || begun.elapsed() > PATIENCE {
                let _ = daemon.kill();
                return Err(format!("it did not come; see {}", self.root.join("log").display()).into());
            }
            sleep(Duration::from_millis(1));
        }
    }

    /// The id of the model being trained, by the status of this very process.
    fn wait_for_training(&mut self, daemon: &mut Child) -> Result<String, Box<dyn Error>> {
        let pid = daemon.id();
        self.wait(daemon, |place| {
            let status = place.status();
            let id = status.pointer("/model/training/id").and_then(Value::as_str);
            Ok(id.filter(|_| status["pid"] == pid).map(String::from))
        })
    }

    /// What a training does, by the last status, or by the embeddings that are there.
    fn stage(&self, watched: &Watched) -> Result<String, Box<dyn Error>> {
        if watched.is_storing()? {
            return Ok("storing".into());
        }
        let stage = self.status().pointer("/model/training/stage").and_then(Value::as_str).map(String::from);
        Ok(stage.unwrap_or_else(|| "ending".into()))
    }

    fn status(&self) -> Value {
        let text = fs::read(self.state().join("status.json")).unwrap_or_default();
        serde_json::from_slice(&text).unwrap_or_default()
    }

    /// Every embedding of every stored model, compared with what the model makes of the stored features.
    fn compare(&self) -> Result<Compared, Box<dyn Error>> {
        let (catalog, mut found) = (Catalog::open_reader(&self.state())?, Compared::default());
        for (row, serves) in catalog.models()? {
            compare_model(&catalog, &row, serves, &mut found)?;
        }
        Ok(found)
    }

    fn assert_finds_a_wrong_one(&self) -> Result<(), Box<dyn Error>> {
        let catalog = Catalog::open(&self.state())?.catalog;
        let row = catalog.current_model()?.ok_or("no model serves")?;
        let first = first_content(&catalog)?;
        let mut wrong = catalog.embedding(first, &row.id)?.unwrap_or_else(|| vec![1.0; 8]);
        wrong.reverse();
        catalog.put_embedding(first, &row.id, &wrong)?;
        drop(catalog);
        if self.compare()?.wrong != 1 {
            return Err("a wrong embedding was planted and not found".into());
        }
        Ok(())
    }
}

fn first_content(catalog: &Catalog) -> Result<Hash, Box<dyn Error>> {
    let page = catalog.next_features(None, Backbone::VERSION, Backbone::WIDTH, 1)?;
    page.contents.first().copied().ok_or_else(|| "no features are stored".into())
}

fn compare_model(catalog: &Catalog, row: &ModelRow, serves: bool, found: &mut Compared) -> Result<(), Box<dyn Error>> {
    let Some(model) = (!row.weights.is_empty())
        .then(|| Model::from_row(row, &FeatureKind::of(Encoder::Pretrained)))
        .transpose()?
        .flatten()
    else {
        return Ok(());
    };
    let (kind, mut end) = (model.features(), None);
    loop {
        let page = catalog.next_features(end, &kind.version, kind.width, 500)?;
        for (hash, made) in page.contents.iter().zip(model.encode(&page.features).iter()) {
            match catalog.embedding(*hash, &row.id)? {
                Some(stored) if is_same(&stored, made) => found.right += 1,
                Some(_) => found.wrong += 1,
                None if serves && !catalog.files_with(artificio::catalog::Root::Inventory, *hash)?.is_empty() => {
                    found.missing += 1;
                }
                None => {}
            }
        }
        end = page.end;
        if end.is_none() {
            return Ok(());
        }
    }
}

fn is_same(stored: &[f32], made: &[f32]) -> bool {
    let length = |values: &mut dyn Iterator<Item = f32>| values.map(|value| value * value).sum::<f32>().sqrt();
    let apart = length(&mut stored.iter().zip(made).map(|(stored, made)| stored - made));
    stored.len() == made.len() && apart <= ROUNDING * length(&mut made.iter().copied())
}
