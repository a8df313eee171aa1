// The sandbox of a pod: what its containers share.
import { podResourcesOf } from './linux-resources.ts';
import { RuntimeError, type Sandbox } from '../../linux/containerd/index.ts';
import {
  cgroupParentOf,
  kernelHostnameOf,
  isHostNetwork,
  podReference,
  portMappingsOf,
} from './pod-facts.ts';
import type { PodTask } from './pod-task.ts';

/** The sandbox that the containers start in, made when there is none; undefined when that failed. */
export async function ensureSandbox(task: PodTask): Promise<Sandbox | undefined> {
  const { pod, world } = task;
  const { containerd, recorder } = world;
  const { sandboxes } = task.runtimeState();
  const [current] = sandboxes;
  if (current?.state === 'ready') return current;
  if (current !== undefined) {
    recorder.event(
      podReference(pod),
      'Normal',
      'SandboxChanged',
      'Pod sandbox changed, it will be killed and re-created.',
    );
    await containerd.stopSandbox(current.id);
  }
  let hostname: string;
  try {
    hostname = isHostNetwork(pod) ? world.kernel.hostname : kernelHostnameOf(pod, world.config.clusterDomain);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const message = `Failed to create pod sandbox: ${error.message}`;
    recorder.event(podReference(pod), 'Warning', 'FailedCreatePodSandBox', message);
    task.retryUsual();
    return undefined;
  }
  const cgroupParent = cgroupParentOf(pod, world.config.cgroupDriver);
  const { memoryMaxBytes, cpuQuotaUs } = podResourcesOf(pod);
  world.kernel.setCgroupLimits(cgroupParent, { memoryMaxBytes, cpuQuotaUs });
  try {
    const { namespace, name, uid, labels = {}, annotations = {} } = pod.metadata;
    return await containerd.runSandbox({
      podName: name,
      podNamespace: namespace,
      podUid: uid,
      attempt: current === undefined ? 0 : current.spec.attempt + 1,
      hostname,
      hostNetwork: isHostNetwork(pod),
      labels: {
        ...labels,
        'io.kubernetes.pod.name': name,
        'io.kubernetes.pod.namespace': namespace,
        'io.kubernetes.pod.uid': uid,
      },
      annotations,
      cgroupParent,
      portMappings: isHostNetwork(pod) ? [] : portMappingsOf(pod),
    });
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    const message = `Failed to create pod sandbox: rpc error: code = ${error.code} desc = ${error.message}`;
    recorder.event(podReference(pod), 'Warning', 'FailedCreatePodSandBox', message);
    task.retryUsual();
    return undefined;
  }
}
