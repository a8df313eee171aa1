// One machine of a cluster: a Linux machine on the LAN with what its role installs on it.
import { editorSocket, machinePrograms } from '../linux/commands/index.ts';
import { makeContainerd, type ContainerdDaemon, type RuntimeLatency } from '../linux/containerd/index.ts';
import type { LayerFile, Program } from '../linux/kernel/index.ts';
import { makeMachine, type Machine } from '../linux/machine/index.ts';
import { bash } from '../linux/shell/index.ts';
import type { UnitDefinition } from '../linux/systemd/index.ts';
import type { ApiServer } from '../kubernetes/apiserver/index.ts';
import { makeCni } from '../kubernetes/cni/index.ts';
import { defaultKubeletConfig, makeKubelet, readKubeletConfig, type Kubelet } from '../kubernetes/kubelet/index.ts';
import { makeKubectl } from '../kubernetes/kubectl/index.ts';
import type { Random, Simulation } from '../simulation/index.ts';
import type { Store } from '../storage/index.ts';
import { clusterImages } from './images.ts';
import type { ApiGate } from './gated-client.ts';
import type { Lan } from './lan.ts';
import { machineFiles } from './kubeadm/machine-files.ts';
import type { MachineProfile, Profile } from './profile.ts';

export interface NodeOptions {
  readonly clock: Simulation;
  readonly store: Store;
  readonly random: Random;
  readonly profile: Profile;
  readonly machine: MachineProfile;
  readonly lan: Lan;
  readonly api: ApiServer;
  readonly gate: ApiGate;
  readonly onFault: (error: unknown) => void;
}

export interface ClusterNode extends Disposable {
  readonly machine: Machine;
  /** Of cluster machines only. */
  readonly kubelet: Kubelet | undefined;
}
