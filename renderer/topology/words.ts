// The words of the picture that depend on a state, as keys of the texts.
import type { MachineInfo, TopologyMachine } from '../../preload/contract.ts';

export function roleText(role: MachineInfo['role']) {
  const keys = {
    'control-plane': 'workbench.controlPlane',
    worker: 'workbench.worker',
    client: 'workbench.client',
  } as const;
  return keys[role];
}

export function machineStateText({ ready, unschedulable }: TopologyMachine) {
  if (ready === undefined) return 'topology.outside';
  if (!ready) return 'topology.notReady';
  return unschedulable ? 'topology.cordoned' : 'topology.ready';
}

/** How good a Pod's state is: running well, on its way or going, or in trouble. */
export function podTone(pod: { status: string; ready: boolean }): 'good' | 'busy' | 'bad' | 'done' {
  if (pod.status === 'Completed') return 'done';
  if (pod.ready && pod.status === 'Running') return 'good';
  if (/Err|BackOff|Failed|Evicted|OOMKilled|Unknown|Invalid|NotReady|Lost/.test(pod.status)) return 'bad';
  return 'busy';
}
