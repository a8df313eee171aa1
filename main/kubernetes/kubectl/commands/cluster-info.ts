// kubectl cluster-info: where the control plane and the labelled services are.
import type { Command, Invocation } from '../frame/command.ts';
import type { AnyObject } from '../rest/builder.ts';
import { clusterInfoDump } from './cluster-info-dump.ts';

export const clusterInfo: Command = {
  name: 'cluster-info',
  commands: [clusterInfoDump],
  run: runClusterInfo,
};

async function runClusterInfo({ kubectl }: Invocation): Promise<number> {
  const { server } = kubectl.config;
  const { items } = await kubectl.api.json<{ items: AnyObject[] | null }>({
    method: 'GET',
    path: '/api/v1/namespaces/kube-system/services',
    query: { labelSelector: 'kubernetes.io/cluster-service=true' },
  });
  await kubectl.out(`Kubernetes control plane is running at ${server}\n`);
  for (const { metadata, ...rest } of items ?? []) {
    const { ports = [] } = rest['spec'] as { ports?: { name?: string; port: number }[] };
    const label = metadata?.labels?.['kubernetes.io/name'] ?? metadata?.name ?? '';
    const [port] = ports;
    const scheme = port?.name === 'https' || port?.port === 443 ? 'https:' : '';
    const suffix = scheme !== '' || (port?.name ?? '') !== '' ? `:${port?.name ?? ''}` : '';
    await kubectl.out(
      `${label} is running at ${server}/api/v1/namespaces/${metadata?.namespace}/services/${scheme}${metadata?.name}${suffix}/proxy\n`,
    );
  }
  await kubectl.out("\nTo further debug and diagnose cluster problems, use 'kubectl cluster-info dump'.\n");
  return 0;
}
