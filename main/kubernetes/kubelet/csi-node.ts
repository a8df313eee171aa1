// The CSINode of this machine: no drivers, and the in-tree plugins that CSI drivers stand in for.
import { isStatus, resources, type Node, type Stored } from '../api/index.ts';
import type { ApiClient } from '../client/index.ts';

/** Plugins whose volumes are migrated (pkg/volume/csi/nodeinfomanager). */
const MIGRATED = [
  'kubernetes.io/aws-ebs',
  'kubernetes.io/azure-disk',
  'kubernetes.io/azure-file',
  'kubernetes.io/cinder',
  'kubernetes.io/gce-pd',
  'kubernetes.io/portworx-volume',
  'kubernetes.io/vsphere-volume',
];

/** Makes the CSINode if it is missing; servers before 1.17 have none. Rejects with StatusError. */
export async function ensureCsiNode(client: ApiClient, node: Stored<Node>): Promise<void> {
  const { name, uid } = node.metadata;
  try {
    await client.create(resources.csinodes, {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata: {
        name,
        annotations: { 'storage.alpha.kubernetes.io/migrated-plugins': MIGRATED.join(',') },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid }],
      },
      spec: { drivers: null },
    } as Parameters<ApiClient['create']>[1]);
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists') && !isStatus(error, 'NotFound')) throw error;
  }
}
