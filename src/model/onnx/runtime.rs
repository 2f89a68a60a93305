//! The runtime: `rten`, on one core for each call.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use rten::{DataType, Model as Graph, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueType};

use rten_tensor::prelude::*;

use super::{NetworkProblem, Output};

/// A network that was read.
pub(super) struct Runtime {
    graph: Graph,
    input: NodeId,
    output: NodeId,
    output_name: String,
    /// Pools of one thread each, of calls that are over, with the niceness of that thread; at most one for every call that ever ran at the
    /// same time. The runtime computes on a pool in any case, and one with a thread a core would take the cores of other workers.
    idle: Mutex<Vec<(i32, Arc<ThreadPool>)>>,
}

impl Runtime {
    /// Reads `bytes`, the content of an ONNX file. What it refers to in other files is not read. `output` is the name of the output that
    /// is asked for; the first, if there is none.
    pub(super) fn load(bytes: Vec<u8>, output: Option<&str>) -> Result<Self, NetworkProblem> {
        caught(|| {
            let graph = ModelOptions::with_all_ops()
                .load(bytes)
                .map_err(|error| NetworkProblem::Unreadable(error.to_string()))?;
            let name = |id: &NodeId| graph.node_info(*id).and_then(|node| node.name()).unwrap_or_default().to_string();
            let names = |ids: &[NodeId]| ids.iter().map(name).collect::<Vec<_>>();
            let &[input] = graph.input_ids() else { return Err(NetworkProblem::Inputs(names(graph.input_ids()))) };
            let found = match output {
                None => graph.output_ids().first().copied(),
                Some(wanted) => graph.output_ids().iter().find(|id| name(id) == wanted).copied(),
            };
            let Some(output) = found else {
                return Err(NetworkProblem::NoOutput(output.unwrap_or_default().into(), names(graph.output_ids())));
            };
            let of_other_type = |kind: ValueType| kind != ValueType::Tensor(DataType::Float);
            if graph.node_info(output).and_then(|node| node.dtype()).is_some_and(of_other_type) {
                return Err(NetworkProblem::Type(name(&output)));
            }
            let output_name = name(&output);
            Ok(Self { input, output, output_name, graph, idle: Mutex::default() })
        })
    }

    /// The output that is asked for.
    pub(super) fn output_name(&self) -> &str {
        &self.output_name
    }

    /// What it makes of `input`, of this shape.
    pub(super) fn run(&self, input: Vec<f32>, shape: [usize; 4]) -> Result<Output, NetworkProblem> {
        let failed = |error: &dyn std::fmt::Display| NetworkProblem::Failed(error.to_string());
        let input = Value::from_shape(shape, input).map_err(|error| failed(&error))?;
        // A call that panicked took its pool with it.
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // A thread has the niceness of the one that starts it: that of a training must not answer queries.
        let niceness = rustix::process::getpriority_process(None).unwrap_or(0);
        let kept = {
            let mut idle = idle();
            let place = idle.iter().position(|(of, _)| *of == niceness);
            place.map(|at| idle.swap_remove(at).1)
        };
        let pool = kept.unwrap_or_else(|| Arc::new(ThreadPool::with_num_threads(1)));
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&pool)));
        let outputs = caught(|| {
            let run = self.graph.run(vec![(self.input, input.into())], &[self.output], Some(options));
            run.map_err(|error| failed(&error))
        })?;
        idle().push((niceness, pool));
        let Some(Value::FloatTensor(tensor)) = outputs.into_iter().next() else {
            return Err(NetworkProblem::Type(self.output_name.clone()));
        };
        Ok(Output { shape: tensor.shape().to_vec(), values: tensor.to_vec() })
    }
}

/// A panic of the runtime costs this network, or this picture, and nothing else: what it works on is only read, or its own.
fn caught<T>(work: impl FnOnce() -> Result<T, NetworkProblem>) -> Result<T, NetworkProblem> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(NetworkProblem::Panicked))
}
