export { type Arithmetic, type Depth, type Table, tables } from './arithmetic.js'
export {
  type Bounded,
  type Hypers,
  type LayerInput,
  type LayerResult,
  type Reference,
  reference,
  type StepInput,
  type StepResult
} from './reference.js'
export { type LayerStart, type Trajectory, trajectory } from './trajectory.js'
export { type Grid, gridOf, viewOf } from './value.js'
