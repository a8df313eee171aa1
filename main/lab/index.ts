// Labs: their files, their checks, a learner's progress. Drives a cluster only through LabWorld.
export { pointsMaxOf } from './lab.ts';
export { LabError, listCourses, loadLab } from './load.ts';
export { pointsOf, readProgress } from './progress.ts';
export { LabRun } from './run.ts';
export type { World as LabWorld } from '../cluster/index.ts';
