//! The fourth stage of a query: determines its status, and the sentence that explains it to a person.

use std::path::{Path, PathBuf};

use super::Query;
use super::input::Input;
use super::matches::Selected;
use super::member::FileRead;
use super::search::SearchSummary;
use crate::answer::Status;
use crate::answer::sheet::thousands;
use crate::config::SearchScope;
use crate::picture::Unusable;

/// The status of a query with its explanation.
pub struct Judgement {
    /// For scripts.
    pub status: Status,
    /// The one file that the sentence is about, if it is about one.
    pub subject: Option<String>,
    /// A sentence for a person.
    pub sentence: String,
}

impl Judgement {
    fn new(status: Status, sentence: impl Into<String>) -> Self {
        Self { status, subject: None, sentence: sentence.into() }
    }

    /// The sentence, with what it is about.
    pub fn message(&self) -> String {
        match &self.subject {
            Some(subject) => format!("{subject}: {}", self.sentence),
            None => self.sentence.clone(),
        }
    }
}

/// The status, and the sentence that explains it.
pub fn judge(
    query: &Query,
    input: &Input,
    scope: &SearchScope,
    searched: &SearchSummary<'_>,
    selected: &Selected,
) -> Judgement {
    if let Some(message) = input.mistake() {
        return Judgement::new(Status::Error, message);
    }
    let SearchSummary { inventory, rejected, lacks_others, has_others } = *searched;
    let [files, positives, negatives] = input.files_by_use();
    let mut problems = problems_of(&files);
    if problems.len() == files.len() {
        return unanswerable(query, &problems);
    }
    if inventory == 0 && !has_others && query.inventory_pending == 0 && query.inventory_missing == 0 {
        let folder = query.config.folders.inventory.display();
        let message = match scope.is_everything() {
            true => format!(
                "There is nothing to compare with yet. Put pictures into {folder}; then this is answered again."
            ),
            false if !scope.taken.is_everything() => format!(
                "No picture of {folder} is {scope}. Look whether dates and folders are as you mean them; when there are such \
                 pictures, this is answered again."
            ),
            false => format!(
                "No picture of {folder} lies {scope}. Look whether the folder is named as it is there; when there are \
                 pictures, this is answered again."
            ),
        };
        return Judgement::new(Status::NothingSimilar, message);
    }
    problems.extend(problems_of(&positives));
    problems.extend(problems_of(&negatives));
    let mut remarks = remarks_on(query, scope, inventory, &problems);
    remarks.extend(sampled(input));
    remarks.extend(lacks_others.map(|why| {
        format!("Answered without all pictures of other nodes, and again when they can be searched: {why}.")
    }));
    let matches = selected.matches.len();
    if remarks.is_empty() {
        let (status, sentence) = match matches {
            0 => (Status::NothingSimilar, nothing_similar(inventory, scope, selected)),
            _ => {
                let moved = feedback(positives.len(), negatives.len());
                (Status::Ok, format!("The {matches} most similar of {inventory} pictures{}{moved}.", in_scope(scope)))
            }
        };
        return Judgement::new(status, sentence + &passed_over(rejected));
    }
    if matches == 0 && inventory > 0 {
        remarks.push(nothing_similar(inventory, scope, selected));
    }
    Judgement::new(Status::Partial, remarks.join(" ") + &passed_over(rejected))
}

/// Why the answer is not complete.
fn remarks_on(query: &Query, scope: &SearchScope, inventory: usize, problems: &[(&Path, &Unusable)]) -> Vec<String> {
    let mut remarks = Vec::new();
    if query.inventory_pending > 0 {
        let all = inventory + query.inventory_pending;
        remarks.push(match scope.is_everything() {
            true => format!(
                "Answered from {inventory} of {all} pictures: the others are still being read, then this is answered again."
            ),
            false => format!(
                "Answered from the {inventory} pictures {scope} that are known; {} of the inventory are still being read, then this \
                 is answered again.",
                query.inventory_pending
            ),
        });
    }
    if let [(path, problem), rest @ ..] = problems {
        let others = if rest.is_empty() { String::new() } else { format!(", and {} more", rest.len()) };
        remarks.push(format!("Left out: {} ({problem}){others}.", path.display()));
    }
    if query.inventory_missing > 0 {
        remarks.push(format!(
            "Pictures of the inventory that could not be searched: {}. What was known of them is lost and is made again, then this is answered again.",
            query.inventory_missing
        ));
    }
    remarks.extend(out_of_reach(&query.inventory_away));
    remarks
}

/// That of a very large set only a sample was used.
fn sampled(input: &Input) -> Option<String> {
    let kinds = [(&input.members, ""), (&input.positives, " in yes/"), (&input.negatives, " in not/")];
    let cut = kinds.iter().filter(|(members, _)| members.unused > 0);
    let parts: Vec<String> = cut
        .map(|(members, place)| {
            let [used, all] = [members.used.len(), members.count()].map(thousands);
            format!("{used} of the {all} pictures{place}")
        })
        .collect();
    let is_any = !parts.is_empty();
    is_any.then(|| format!("Of so many a random sample was used: {}.", parts.join(", ")))
}

/// What is said of folders of the inventory that are away.
fn out_of_reach(away: &[PathBuf]) -> Option<String> {
    let what = match away {
        [] => return None,
        [all, ..] if all.as_os_str().is_empty() => "The inventory folder is".to_string(),
        [folder] => format!("The disk of the inventory's folder {} is", folder.display()),
        [folder, others @ ..] => {
            format!("The disks of the inventory's folder {} and of {} more are", folder.display(), others.len())
        }
    };
    let (of_it, back) = if away.len() > 1 { ("them", "they are") } else { ("it", "it is") };
    Some(format!("{what} out of reach: answered from what was known of {of_it}, and again when {back} back."))
}

/// " within shirts", after a number of pictures.
fn in_scope(scope: &SearchScope) -> String {
    if scope.is_everything() { String::new() } else { format!(" {scope}") }
}

fn nothing_similar(inventory: usize, scope: &SearchScope, selected: &Selected) -> String {
    let within = in_scope(scope);
    match &selected.nearest {
        None => format!("None of the {inventory} pictures{within} is similar enough."),
        Some(nearest) => format!(
            "None of the {inventory} pictures{within} shows anything like it. The nearest, {}, has little in common with it.",
            nearest.path
        ),
    }
}

fn unanswerable(query: &Query, problems: &[(&Path, &Unusable)]) -> Judgement {
    let sentence = match problems {
        [] => format!("The folder {} holds no pictures.", query.path.display()),
        [(path, problem)] => {
            let sentence = format!("{problem}. What to do: {}.", problem.remedy());
            let subject = Some(path.display().to_string());
            return Judgement { status: Status::Error, subject, sentence };
        }
        [(path, problem), ..] => format!(
            "None of the {} files could be used. The first, {}: {problem}. What to do: {}.",
            problems.len(),
            path.display(),
            problem.remedy()
        ),
    };
    Judgement::new(Status::Error, sentence)
}

fn problems_of<'a>(files: &[&'a FileRead]) -> Vec<(&'a Path, &'a Unusable)> {
    files.iter().filter_map(|file| Some((file.path.as_path(), file.result.as_ref().err()?))).collect()
}

/// What the examples did: ", drawn towards 1 picture in yes/ and kept away from 2 pictures in not/".
fn feedback(positives: usize, negatives: usize) -> String {
    let of = |count: usize, doing: &str, folder: &str| match count {
        0 => None,
        1 => Some(format!("{doing} 1 picture in {folder}/")),
        _ => Some(format!("{doing} {count} pictures in {folder}/")),
    };
    let parts = [of(positives, "drawn towards", "yes"), of(negatives, "kept away from", "not")];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { String::new() } else { format!(", {}", parts.join(" and ")) }
}

fn passed_over(rejected: usize) -> String {
    match rejected {
        0 => String::new(),
        1 => " Not shown: 1 picture that is the same as one in not/, or nearly.".into(),
        _ => format!(" Not shown: {rejected} pictures that are each the same as one in not/, or nearly."),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::query::QueryFiles;

    #[test]
    fn it_is_said_which_folders_are_out_of_reach() {
        let said = |away: &[&str]| out_of_reach(&away.iter().map(PathBuf::from).collect::<Vec<_>>());
        let of_one = "The disk of the inventory's folder nas is out of reach: answered from what was known of it, and again when it is back.";
        assert_eq!((said(&[]), said(&["nas"])), (None, Some(of_one.into())));
        assert!(
            said(&["nas", "usb"]).unwrap().starts_with("The disks of the inventory's folder nas and of 1 more are out")
        );
        assert!(said(&["", "nas"]).unwrap().starts_with("The inventory folder is out of reach"));
    }

    #[test]
    fn it_is_said_how_many_pictures_could_not_be_searched() {
        let query = |inventory_pending, inventory_missing| Query {
            path: "a.jpg".into(),
            files: QueryFiles::of_picture("a.jpg".into()),
            is_set: false,
            name: "a".into(),
            answered: None,
            is_recheck: false,
            can_wait: false,
            inventory_pending,
            inventory_missing,
            inventory_away: Vec::new(),
            scope: SearchScope::default(),
            crop: None,
            config: Arc::default(),
        };
        assert!(remarks_on(&query(0, 0), &SearchScope::default(), 5, &[]).is_empty());
        let remarks = remarks_on(&query(2, 3), &SearchScope::default(), 5, &[]);
        assert!(remarks[0].starts_with("Answered from 5 of 7 pictures"), "{remarks:?}");
        assert!(remarks[1].contains("could not be searched: 3."), "{remarks:?}");
    }
}
