/** What generated code imports, and the types of its surface. A driver each is in a module of its own. */
export type { LayerMatch } from './masks.js'
export { CompiledOptimizer, type LayerRecord, type PlanRecord } from './optimizer.js'
export type {
  CompiledProgram,
  Driver,
  HostInput,
  HyperSpec,
  KernelName,
  Layer,
  LayerInfo,
  MaskSpec,
  ModelState,
  PlanSummary,
  Range,
  SlotSpec,
  Step,
  StepLayer,
  Target
} from './program.js'
export { FORMAT } from './program.js'
export { type Schedule, schedule } from './schedules.js'
