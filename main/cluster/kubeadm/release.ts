// What kubeadm of each release leaves behind: versions of add-ons, names of taints and labels, formats of its files.
import { minorOf } from '../../kubernetes/api/index.ts';

export interface KubeadmRelease {
  readonly minor: number;
  readonly etcdImage: string;
  readonly coreDnsImage: string;
  readonly imageRepository: string;
  /** Labels of a control-plane node; their values are empty. */
  readonly controlPlaneLabels: readonly string[];
  /** Keys of its NoSchedule taints. */
  readonly controlPlaneTaints: readonly string[];
  /** The group that kubernetes-admin is in. */
  readonly adminGroup: string;
  /** The ConfigMap in kube-system with the kubelets' configuration. */
  readonly kubeletConfigMap: string;
  /** apiVersion of ClusterConfiguration. */
  readonly configApiVersion: string;
  /** Whether kubeadm-config also holds a ClusterStatus. */
  readonly hasClusterStatus: boolean;
}

const MASTER = 'node-role.kubernetes.io/master';
const CONTROL_PLANE = 'node-role.kubernetes.io/control-plane';
const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers';

/** The first release of each span, and what is so from it on (cmd/kubeadm/app/constants). */
const ADD_ONS: readonly { readonly since: number; readonly etcd: string; readonly coreDns: string }[] = [
  { since: 0, etcd: '3.3.10', coreDns: 'coredns:1.3.1' },
  { since: 17, etcd: '3.4.3-0', coreDns: 'coredns:1.6.5' },
  { since: 18, etcd: '3.4.3-0', coreDns: 'coredns:1.6.7' },
  { since: 19, etcd: '3.4.13-0', coreDns: 'coredns:1.7.0' },
  { since: 21, etcd: '3.4.13-0', coreDns: 'coredns/coredns:v1.8.0' },
  { since: 22, etcd: '3.5.0-0', coreDns: 'coredns/coredns:v1.8.4' },
  { since: 23, etcd: '3.5.6-0', coreDns: 'coredns/coredns:v1.8.6' },
  { since: 25, etcd: '3.5.6-0', coreDns: 'coredns/coredns:v1.9.3' },
  { since: 27, etcd: '3.5.9-0', coreDns: 'coredns/coredns:v1.10.1' },
  { since: 29, etcd: '3.5.10-0', coreDns: 'coredns/coredns:v1.11.1' },
  { since: 34, etcd: '3.6.4-0', coreDns: 'coredns/coredns:v1.12.1' },
  { since: 36, etcd: '3.6.5-0', coreDns: 'coredns/coredns:v1.13.1' },
];

/** The facts of a version such as `v1.19.16`. */
export function kubeadmRelease(kubernetesVersion: string): KubeadmRelease {
  const minor = minorOf(kubernetesVersion);
  const { etcd, coreDns } = ADD_ONS.findLast(({ since }) => since <= minor)!;
  // The last patches of 1.22 to 1.24 moved too; none of them has a profile.
  const imageRepository = minor < 25 ? 'k8s.gcr.io' : 'registry.k8s.io';
  return {
    minor,
    imageRepository,
    etcdImage: `${imageRepository}/etcd:${etcd}`,
    coreDnsImage: `${imageRepository}/${coreDns}`,
    controlPlaneLabels: [
      ...(minor < 24 ? [MASTER] : []),
      ...(minor >= 20 ? [CONTROL_PLANE] : []),
      ...(minor >= 21 ? [EXCLUDED] : []),
    ],
    controlPlaneTaints: [...(minor < 25 ? [MASTER] : []), ...(minor >= 24 ? [CONTROL_PLANE] : [])],
    adminGroup: minor < 29 ? 'system:masters' : 'kubeadm:cluster-admins',
    kubeletConfigMap: minor < 24 ? `kubelet-config-1.${minor}` : 'kubelet-config',
    configApiVersion: `kubeadm.k8s.io/${minor < 22 ? 'v1beta2' : minor < 31 ? 'v1beta3' : 'v1beta4'}`,
    hasClusterStatus: minor < 22,
  };
}
