// The files that an installed cluster leaves on its machines: kubelet's and kubeadm's folders, hosts, kernel settings.
import { stringify } from 'yaml';
import type { LayerFile } from '../../linux/kernel/index.ts';
import type { MachineProfile, Profile } from '../profile.ts';
import { bridgeConfList } from './bridge.ts';
import type { Identity } from '../../network/tls/index.ts';
import { hasPackagedPlugin } from './flannel.ts';
import { localPathManifest } from './local-path.ts';
import { metricsServerManifest } from './metrics-server.ts';
import { KUBELET_CLIENT_FILE } from './pki.ts';
import { staticPodManifests } from './static-pods.ts';

export interface MachineFilesOptions {
  readonly profile: Profile;
  readonly machine: MachineProfile;
  /** PEM of the cluster's authority. */
  readonly authority: string;
  /** PEM of the aggregator's authority. */
  readonly frontProxyAuthority: string;
  /** kubernetes-admin's kubeconfig. */
  readonly adminKubeconfig: string;
  readonly kubeletKubeconfig: string;
  /** What its kubelet is known by. */
  readonly kubeletIdentity: () => Identity;
}

/** Path to file, for a machine of this role. */
export function machineFiles({
  profile,
  machine,
  authority,
  frontProxyAuthority,
  adminKubeconfig,
  kubeletKubeconfig,
  kubeletIdentity,
}: MachineFilesOptions): Map<string, LayerFile> {
  const files = new Map<string, LayerFile>();
  const text = (path: string, content: string, mode = 0o644): void =>
    void files.set(path, { type: 'file', content, mode });
  text('/etc/hosts', hosts(profile));
  text('/etc/resolv.conf', `nameserver ${profile.lan.router}\n`);
  if (machine.role === 'client') return files;

  text(
    '/etc/sysctl.d/k8s.conf',
    'net.bridge.bridge-nf-call-ip6tables = 1\nnet.bridge.bridge-nf-call-iptables = 1\nnet.ipv4.ip_forward = 1\n',
  );
  text('/etc/modules-load.d/ipvs.conf', 'ip_vs\nip_vs_rr\nip_vs_wrr\nip_vs_sh\nnf_conntrack\n');
  text('/etc/kubernetes/pki/ca.crt', authority);
  text('/var/lib/kubelet/config.yaml', kubeletConfig(profile));
  text('/var/lib/kubelet/kubeadm-flags.env', 'KUBELET_KUBEADM_ARGS=""\n');
  text('/etc/sysconfig/kubelet', 'KUBELET_EXTRA_ARGS=\n');
  text('/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf', KUBELET_DROP_IN);
  if (hasPackagedPlugin(profile)) text('/opt/cni/bin/flannel', '', 0o755);
  text('/etc/kubernetes/kubelet.conf', kubeletKubeconfig, 0o600);
  const { certificate, privateKey } = kubeletIdentity();
  text(KUBELET_CLIENT_FILE, `${certificate}${privateKey}`, 0o600);
  if (profile.cni === 'bridge') text('/etc/cni/net.d/10-bridge.conflist', bridgeConfList(profile, machine));
  if (machine.role !== 'control-plane') {
    files.set('/etc/kubernetes/manifests', { type: 'directory' });
    return files;
  }
  text('/etc/kubernetes/pki/front-proxy-ca.crt', frontProxyAuthority);
  text('/root/metrics-server/components.yaml', metricsServerManifest());
  text('/root/local-path-provisioner/local-path-storage.yaml', localPathManifest());
  for (const [name, manifest] of staticPodManifests(profile, machine.address))
    text(`/etc/kubernetes/manifests/${name}`, manifest, 0o600);
  text('/etc/kubernetes/admin.conf', adminKubeconfig, 0o600);
  text('/root/.kube/config', adminKubeconfig, 0o600);
  return files;
}

/** How kubeadm's package starts the kubelet. */
const KUBELET_DROP_IN = `# The flags of a kubelet that kubeadm set up.
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
# kubeadm init and kubeadm join write this file.
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
# The place for flags of one's own, as a last resort.
EnvironmentFile=-/etc/sysconfig/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
`;

function hosts(profile: Profile): string {
  const own =
    '127.0.0.1   localhost localhost.localdomain localhost4 localhost4.localdomain4\n::1         localhost localhost.localdomain localhost6 localhost6.localdomain6\n';
  return own + profile.machines.map(({ name, address }) => `${address} ${name}\n`).join('');
}

function kubeletConfig(profile: Profile): string {
  return stringify({
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    authentication: {
      anonymous: { enabled: false },
      webhook: { cacheTTL: '0s', enabled: true },
      x509: { clientCAFile: '/etc/kubernetes/pki/ca.crt' },
    },
    authorization: { mode: 'Webhook' },
    cgroupDriver: 'systemd',
    clusterDNS: [profile.clusterDns],
    clusterDomain: profile.clusterDomain,
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    healthzBindAddress: '127.0.0.1',
    healthzPort: 10248,
    kind: 'KubeletConfiguration',
    rotateCertificates: true,
    staticPodPath: '/etc/kubernetes/manifests',
  });
}
