/** The face of `fanloop/testing`: runs a task as a deployed stack would, on a model of the cloud under virtual time, with faults by a seed. */
export { type FaultKind, type FaultPlan, faultKinds } from './faults.ts';
export type { CallEvent, FaultEvent, History, LifeEvent } from './history.ts';
export type { RedriveChoice, SimulatedPass, SimulatedRedrive } from './passes.ts';
export { type Simulated, type SimulationOptions, SimulationStuck, simulate } from './simulate.ts';
