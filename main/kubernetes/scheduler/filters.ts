// The filters: may this pod go to this node? One look per node, with what can be worked out beforehand done once.
import type { Taint } from '../api/index.ts';
import { reject, type NodeFilter, type SchedulingContext } from './context.ts';
import { makeInterPodAffinityFilter } from './inter-pod-affinity.ts';
import { matchesNodeAffinity } from './node-affinity.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';
import type { Rejection } from './rejection.ts';
import { tolerates, untoleratedTaint } from './taints.ts';
import { makeSpreadFilter } from './topology-spread.ts';

/** From this minor version on the message leaves out which taint it was. */
const TAINT_KEYS_HIDDEN_MINOR = 35;
const UNSCHEDULABLE_TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;

/** The filters of the default profile, in its order; the first refusal counts. */
export function makeFilter(context: SchedulingContext, info: PodInfo, volumes: NodeFilter): NodeFilter {
  const { pod } = info;
  const spec = pod.spec!;
  const toleratesUnschedulable =
    spec.tolerations?.some((toleration) => tolerates(toleration, UNSCHEDULABLE_TAINT)) === true;
  const nodeName = spec.nodeName ?? '';
  const anyAffinity = spec.nodeSelector !== undefined || spec.affinity?.nodeAffinity !== undefined;
  const spread = makeSpreadFilter(context, info);
  const interPod = makeInterPodAffinityFilter(context, info);

  return (nodeInfo) => {
    const node = nodeInfo.node!;
    if (node.spec?.unschedulable === true && !toleratesUnschedulable) {
      return reject('NodeUnschedulable', 'node(s) were unschedulable', false);
    }
    if (nodeName !== '' && nodeName !== nodeInfo.name) {
      return reject('NodeName', "node(s) didn't match the requested node name", false);
    }
    const taint = untoleratedTaint(node.spec?.taints, spec.tolerations, ['NoSchedule', 'NoExecute']);
    if (taint !== undefined) {
      return reject('TaintToleration', taintWords(context.minor, taint), false);
    }
    if (anyAffinity && !matchesNodeAffinity(spec, node)) {
      return reject('NodeAffinity', affinityWords(context.minor), false);
    }
    if (info.hostPorts.length > 0 && !nodeInfo.portsFree(info.hostPorts)) {
      return reject('NodePorts', "node(s) didn't have free ports for the requested pod ports", true);
    }
    return fits(info, nodeInfo) ?? volumes(nodeInfo) ?? spread?.(nodeInfo) ?? interPod?.(nodeInfo);
  };
}

function taintWords(minor: number, { key, value = '' }: Taint): string {
  if (minor < 18) return "node(s) had taints that the pod didn't tolerate";
  if (minor < 24) return `node(s) had taint {${key}: ${value}}, that the pod didn't tolerate`;
  return `node(s) had untolerated ${minor >= TAINT_KEYS_HIDDEN_MINOR ? 'taint(s)' : `taint {${key}: ${value}}`}`;
}

function affinityWords(minor: number): string {
  if (minor < 20) return "node(s) didn't match node selector";
  return `node(s) didn't match Pod's node affinity${minor < 22 ? '' : '/selector'}`;
}

/** NodeResourcesFit: every resource that is short is named. */
function fits({ requests }: PodInfo, node: NodeInfo): Rejection | undefined {
  const { allocatable, requested } = node;
  let reasons: string[] | undefined;
  let resolvable = true;
  const short = (reason: string, hopeless: boolean): void => {
    (reasons ??= []).push(reason);
    if (hopeless) resolvable = false;
  };
  if (node.pods.size + 1 > node.podsMax) short('Too many pods', false);
  if (requests.milliCpu > 0 && requests.milliCpu > allocatable.milliCpu - requested.milliCpu) {
    short('Insufficient cpu', requests.milliCpu > allocatable.milliCpu);
  }
  if (requests.memory > 0 && requests.memory > allocatable.memory - requested.memory) {
    short('Insufficient memory', requests.memory > allocatable.memory);
  }
  const { ephemeralStorage } = requests;
  if (ephemeralStorage > 0 && ephemeralStorage > allocatable.ephemeralStorage - requested.ephemeralStorage) {
    short('Insufficient ephemeral-storage', ephemeralStorage > allocatable.ephemeralStorage);
  }
  for (const [name, amount] of requests.scalars) {
    const total = allocatable.scalars.get(name) ?? 0;
    if (amount > 0 && amount > total - (requested.scalars.get(name) ?? 0))
      short(`Insufficient ${name}`, amount > total);
  }
  return reasons === undefined ? undefined : { plugin: 'NodeResourcesFit', reasons, resolvable };
}
