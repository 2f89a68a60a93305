//! The plan, tested from data, with the time as an argument.

use super::*;

impl Plan {
    /// A new job, as tests need one.
    fn enqueue(&mut self, root: Root, path: &Path, stamp: Option<Stamp>, now: Duration) {
        let job = QueuedJob { stamp, since: now, kind: JobKind::New, origin: QueryOrigin::default() };
        self.lanes.of_mut(root).enqueue(path, job);
    }
}

fn stamp(size: u64) -> Option<Stamp> {
    Some(Stamp { size, mtime_ns: 0, ctime_ns: 0, inode: 1 })
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn started(plan: &mut Plan, now: u64) -> Vec<String> {
    let tasks = plan.start(seconds(now), 0);
    tasks.into_iter().map(|(task, _)| format!("{} {}", task.root.name(), task.path.display())).collect()
}

#[test]
fn no_more_jobs_than_workers_and_inventory_before_training() {
    let mut plan = Plan::new(2);
    plan.enqueue(Root::Training, Path::new("t"), stamp(1), seconds(0));
    plan.enqueue(Root::Inventory, Path::new("b"), stamp(1), seconds(0));
    plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(0));
    assert_eq!(started(&mut plan, 0), ["inventory a", "inventory b"]);
    assert!(started(&mut plan, 0).is_empty());
    plan.ended(Root::Inventory, Path::new("a"));
    assert_eq!(started(&mut plan, 0), ["training t"]);
}

#[test]
fn a_query_waits_for_the_inventory_but_not_for_ever() {
    let mut plan = Plan::new(1);
    plan.enqueue(Root::Query, Path::new("q"), None, seconds(0));
    plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(0));
    plan.enqueue(Root::Inventory, Path::new("b"), stamp(1), seconds(0));
    assert_eq!(started(&mut plan, 0), ["inventory a"]);
    plan.ended(Root::Inventory, Path::new("a"));
    assert_eq!(plan.next_due(seconds(0)), Some(QUERY_PATIENCE));
    assert_eq!(started(&mut plan, 5), ["query q"]);
}

#[test]
fn a_query_starts_at_once_when_the_inventory_is_not_changing() {
    let mut plan = Plan::new(1);
    plan.enqueue(Root::Training, Path::new("t"), stamp(1), seconds(0));
    plan.enqueue(Root::Query, Path::new("q"), None, seconds(1));
    assert!(plan.start(seconds(1), 3).iter().all(|(task, _)| task.root == Root::Training));
    plan.ended(Root::Training, Path::new("t"));
    assert_eq!(started(&mut plan, 1), ["query q"]);
}

#[test]
fn while_something_cannot_be_kept_nothing_more_of_its_kind_is_done() {
    let mut plan = Plan::new(2);
    for name in ["a", "b", "c"] {
        plan.enqueue(Root::Inventory, Path::new(name), stamp(1), seconds(0));
    }
    assert_eq!(started(&mut plan, 0), ["inventory a", "inventory b"]);
    plan.mark_unsaved(Root::Inventory, Path::new("a"));
    plan.enqueue(Root::Query, Path::new("q"), None, seconds(0));
    assert_eq!((started(&mut plan, 5), plan.pending(Root::Inventory)), (vec!["query q".into()], 3));
    plan.ended(Root::Query, Path::new("q"));
    plan.close(Root::Query);
    plan.enqueue(Root::Query, Path::new("q"), None, seconds(5));
    assert!(started(&mut plan, 10).is_empty());
    plan.open(Root::Query);
    assert_eq!(started(&mut plan, 10), ["query q"]);
    plan.ended(Root::Inventory, Path::new("a"));
    plan.ended(Root::Inventory, Path::new("b"));
    assert_eq!((started(&mut plan, 10), plan.pending(Root::Inventory)), (vec!["inventory c".into()], 1));
}

#[test]
fn a_job_in_trial_leaves_its_place_to_others_and_is_not_started_twice() {
    let mut plan = Plan::new(1);
    for name in ["a", "b", "c"] {
        plan.enqueue(Root::Inventory, Path::new(name), stamp(1), seconds(0));
    }
    let (task, _) = plan.start(seconds(0), 0).remove(0);
    plan.move_to_trial(task.clone());
    assert_eq!((started(&mut plan, 0), plan.busy(), plan.pending(Root::Inventory)), (vec!["inventory b".into()], 1, 3));
    plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(1));
    plan.ended(Root::Inventory, Path::new("a"));
    assert_eq!((plan.busy(), plan.under_way(), plan.pending(Root::Inventory)), (1, 1, 2));
    plan.move_to_trial(task);
    assert_eq!(plan.busy(), 1, "what has ended cannot be moved to a trial");
}

#[test]
fn the_same_state_of_a_file_is_read_once_and_a_newer_one_afterwards() {
    let mut plan = Plan::new(1);
    for _ in 0..3 {
        plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(0));
    }
    assert_eq!(started(&mut plan, 0).len(), 1);
    plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(0));
    plan.ended(Root::Inventory, Path::new("a"));
    assert!(started(&mut plan, 0).is_empty());
    plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(0));
    started(&mut plan, 0);
    plan.enqueue(Root::Inventory, Path::new("a"), stamp(2), seconds(0));
    assert!(started(&mut plan, 0).is_empty(), "never twice at the same time");
    plan.ended(Root::Inventory, Path::new("a"));
    assert_eq!(started(&mut plan, 0), ["inventory a"]);
}

#[test]
fn what_is_requeued_is_started_in_its_newest_state() {
    let mut plan = Plan::new(1);
    plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(0));
    let (task, _) = plan.start(seconds(0), 0).remove(0);
    plan.requeue(&task, seconds(1));
    assert_eq!(plan.start(seconds(1), 0), [(task.clone(), stamp(1))]);
    plan.enqueue(Root::Inventory, Path::new("a"), stamp(2), seconds(1));
    plan.requeue(&task, seconds(2));
    assert_eq!(plan.start(seconds(2), 0), [(task.clone(), stamp(2))]);
    plan.ended(Root::Inventory, Path::new("a"));
    plan.requeue(&task, seconds(3));
    assert!(plan.start(seconds(3), 0).is_empty(), "it was done");
}

#[test]
fn what_is_gone_is_not_started() {
    let mut plan = Plan::new(1);
    plan.enqueue(Root::Inventory, Path::new("a"), stamp(1), seconds(0));
    plan.dequeue(Root::Inventory, Path::new("a"));
    assert!(started(&mut plan, 0).is_empty());
    assert_eq!(plan.pending(Root::Inventory), 0);
}

#[test]
fn queries_are_started_in_the_order_of_their_arrival() {
    let mut plan = Plan::new(1);
    for (name, at) in [("z", 0), ("b", 1), ("y", 2), ("a", 3)] {
        plan.enqueue(Root::Query, Path::new(name), None, seconds(at));
    }
    // Changed again while it waits: it keeps its place.
    plan.enqueue(Root::Query, Path::new("b"), None, seconds(9));
    let mut order = Vec::new();
    while let Some((task, _)) = plan.start(seconds(10), 0).pop() {
        // Changed again while it is answered: it queues behind those that wait already.
        if order.is_empty() {
            plan.enqueue(Root::Query, &task.path, None, seconds(10));
        }
        plan.ended(Root::Query, &task.path);
        order.push(task.path);
    }
    assert_eq!(order, ["z", "b", "y", "a", "z"].map(PathBuf::from));
}

#[test]
fn only_the_queries_that_have_waited_long_enough_start_while_the_inventory_changes() {
    let mut plan = Plan::new(1);
    plan.enqueue(Root::Query, Path::new("b"), None, seconds(0));
    plan.enqueue(Root::Query, Path::new("a"), None, seconds(2));
    assert_eq!(plan.next_due(seconds(4)), Some(seconds(5)));
    assert!(plan.start(seconds(4), 1).is_empty());
    assert_eq!(plan.next_due(seconds(5)), Some(seconds(7)), "the first one waits for a worker only");
    let (task, _) = plan.start(seconds(5), 1).remove(0);
    plan.ended(Root::Query, &task.path);
    assert_eq!((task.path.to_str(), plan.start(seconds(6), 1)), (Some("b"), Vec::new()));
    assert_eq!(plan.start(seconds(7), 1).len(), 1);
    assert_eq!(plan.next_due(seconds(8)), None);
}

#[test]
fn a_picture_that_was_read_before_counts_as_known_until_its_job_has_ended() {
    let mut plan = Plan::new(1);
    let count = |plan: &Plan| (plan.pending(Root::Inventory), plan.known(Root::Inventory));
    let [a, b] = ["a", "b"].map(Path::new);
    plan.enqueue_picture(Root::Inventory, a, stamp(1).unwrap(), JobKind::Known, seconds(0));
    plan.enqueue(Root::Inventory, b, stamp(1), seconds(0));
    assert_eq!(count(&plan), (2, 1));
    let (task, _) = plan.start(seconds(0), 0).remove(0);
    plan.requeue(&task, seconds(1));
    assert_eq!((task.path.as_path(), count(&plan)), (a, (2, 1)));
    plan.start(seconds(1), 0);
    plan.mark_unsaved(Root::Inventory, a);
    plan.mark_unsaved(Root::Inventory, a);
    assert_eq!(count(&plan), (2, 1), "not saved yet, twice");
    plan.ended(Root::Inventory, a);
    assert_eq!(count(&plan), (1, 0));
    plan.start(seconds(1), 0);
    plan.enqueue(Root::Inventory, b, stamp(2), seconds(2));
    plan.ended(Root::Inventory, b);
    assert_eq!(count(&plan), (1, 1), "it was read, and is read once more");
    plan.dequeue(Root::Inventory, b);
    assert_eq!(count(&plan), (0, 0));
}

#[test]
fn no_query_waits_for_a_picture_that_was_only_touched() {
    let mut plan = Plan::new(1);
    let a = Path::new("a");
    plan.enqueue_picture(Root::Inventory, a, stamp(1).unwrap(), JobKind::Touched, seconds(0));
    plan.enqueue(Root::Query, Path::new("q"), None, seconds(0));
    let count =
        |plan: &Plan| (plan.pending(Root::Inventory), plan.known(Root::Inventory), plan.awaited(Root::Inventory));
    assert_eq!(count(&plan), (1, 1, 0));
    assert_eq!(started(&mut plan, 0), ["query q"]);
    plan.ended(Root::Query, Path::new("q"));
    assert_eq!(started(&mut plan, 0), ["inventory a"]);
    plan.enqueue_picture(Root::Inventory, a, stamp(2).unwrap(), JobKind::Known, seconds(1));
    plan.ended(Root::Inventory, a);
    assert_eq!(count(&plan), (1, 1, 1), "it did change");
    // Touched before the change was read.
    plan.enqueue_picture(Root::Inventory, a, stamp(3).unwrap(), JobKind::Touched, seconds(1));
    assert_eq!(count(&plan), (1, 1, 1));
    plan.start(seconds(1), 0);
    plan.ended(Root::Inventory, a);
    assert_eq!(count(&plan), (0, 0, 0));
}

/// The counts are kept, not counted: here they are compared with a count of every job's state.
#[test]
fn the_counts_are_right_after_any_number_of_changes() {
    let mut plan = Plan::new(7);
    let (mut queued, mut running) = (std::collections::BTreeSet::new(), Vec::new());
    for step in 0_u64..20_000 {
        let number = step.wrapping_mul(2_654_435_761) % 500;
        let path = PathBuf::from(format!("{number:03}"));
        match step % 5 {
            0..3 if !running.contains(&path) => {
                plan.enqueue(Root::Inventory, &path, stamp(1), seconds(step));
                queued.insert(path);
            }
            3 if queued.remove(&path) => plan.dequeue(Root::Inventory, &path),
            4 if !running.is_empty() => plan.ended(Root::Inventory, &running.remove(0)),
            _ => {}
        }
        for (task, _) in plan.start(seconds(step), 0) {
            assert!(queued.remove(&task.path), "{task:?} was not queued");
            running.push(task.path);
        }
        let (pending, awaited) = (plan.pending(Root::Inventory), plan.awaited(Root::Inventory));
        assert_eq!((pending, awaited, plan.busy()), (queued.len() + running.len(), pending, running.len()));
    }
    assert!(queued.len() > 100, "the queue was never long: {}", queued.len());
}

fn origin(owner: u32, is_large: bool) -> QueryOrigin {
    QueryOrigin { owner, is_large }
}

#[test]
fn a_large_query_is_started_beside_the_others_and_one_at_a_time() {
    let mut plan = Plan::new(1);
    for (name, is_large) in [("huge", true), ("large", true), ("small", false)] {
        plan.enqueue_query(Path::new(name), origin(1, is_large), seconds(0));
    }
    let large = |plan: &mut Plan| plan.start_large_query(seconds(0), 0).map(|task| task.path);
    assert_eq!(large(&mut plan), Some("huge".into()));
    assert_eq!((large(&mut plan), plan.busy()), (None, 0));
    assert_eq!(
        (started(&mut plan, 0), plan.busy()),
        (vec!["query small".into()], 1),
        "it does not wait for a large one"
    );
    // It grows while it waits: its place among the large ones is its own.
    plan.ended(Root::Query, Path::new("small"));
    plan.enqueue_query(Path::new("small"), origin(1, false), seconds(1));
    plan.enqueue_query(Path::new("small"), origin(1, true), seconds(2));
    assert!(started(&mut plan, 2).is_empty());
    plan.ended(Root::Query, Path::new("huge"));
    let task = Task { root: Root::Query, path: "large".into() };
    assert_eq!(large(&mut plan), Some(task.path.clone()));
    plan.move_to_trial(task.clone());
    assert_eq!((large(&mut plan), plan.busy()), (Some("small".into()), 0));
    plan.requeue(&task, seconds(3));
    plan.ended(Root::Query, Path::new("small"));
    assert_eq!(large(&mut plan), Some(task.path));
    assert_eq!((plan.under_way(), plan.pending(Root::Query)), (1, 1));
}

#[test]
fn queries_of_several_owners_are_started_in_turn_and_few_ahead() {
    let mut plan = Plan::new(2 * JOBS_A_QUERY);
    for number in 0..100 {
        plan.enqueue_query(Path::new(&format!("a{number:02}")), origin(1, false), seconds(number));
    }
    assert_eq!(
        started(&mut plan, 100),
        ["query a00", "query a01"],
        "what is started is done before all that comes later"
    );
    plan.enqueue_query(Path::new("victim"), origin(2, false), seconds(100));
    plan.ended(Root::Query, Path::new("a00"));
    assert_eq!(started(&mut plan, 100), ["query victim"]);
    plan.ended(Root::Query, Path::new("victim"));
    assert_eq!(started(&mut plan, 100), ["query a02"]);
}
