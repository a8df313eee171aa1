// kube-proxy's configuration as kubeadm writes it: every field of the release, most of them at "decide yourself".
import type { Profile } from '../profile.ts';
import { kubeadmRelease } from './release.ts';

/** The KubeProxyConfiguration of kubeproxy.config.k8s.io/v1alpha1, its fields in the order of its YAML. */
export function kubeProxyConfiguration(profile: Profile): Record<string, unknown> {
  const { minor } = kubeadmRelease(profile.kubernetesVersion);
  const since = (release: number, fields: Record<string, unknown>): Record<string, unknown> =>
    minor >= release ? fields : {};
  const until = (release: number, fields: Record<string, unknown>): Record<string, unknown> =>
    minor < release ? fields : {};
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    bindAddress: '0.0.0.0',
    ...since(20, { bindAddressHardFail: false }),
    clientConnection: {
      acceptContentTypes: '',
      burst: 0,
      contentType: '',
      kubeconfig: '/var/lib/kube-proxy/kubeconfig.conf',
      qps: 0,
    },
    clusterCIDR: profile.podCidr,
    configSyncPeriod: '0s',
    conntrack: {
      ...until(17, { max: null }),
      maxPerCore: null,
      min: null,
      ...since(29, { tcpBeLiberal: false }),
      tcpCloseWaitTimeout: null,
      tcpEstablishedTimeout: null,
      ...since(29, { udpStreamTimeout: '0s', udpTimeout: '0s' }),
    },
    ...since(23, { detectLocal: { bridgeInterface: '', interfaceNamePrefix: '' } }),
    ...since(18, { detectLocalMode: '' }),
    enableProfiling: false,
    healthzBindAddress: '',
    hostnameOverride: '',
    iptables: {
      ...since(26, { localhostNodePorts: null }),
      masqueradeAll: false,
      masqueradeBit: null,
      minSyncPeriod: '0s',
      syncPeriod: '0s',
    },
    ipvs: {
      excludeCIDRs: null,
      minSyncPeriod: '0s',
      scheduler: '',
      strictARP: false,
      syncPeriod: '0s',
      ...since(18, { tcpFinTimeout: '0s', tcpTimeout: '0s', udpTimeout: '0s' }),
    },
    kind: 'KubeProxyConfiguration',
    ...since(28, {
      logging: {
        flushFrequency: 0,
        options: {
          json: { infoBufferSize: '0' },
          ...since(31, { text: { infoBufferSize: '0' } }),
        },
        verbosity: 0,
      },
    }),
    metricsBindAddress: '',
    // kubeadm leaves the choice to kube-proxy, which takes iptables.
    mode: profile.proxyMode === 'iptables' ? '' : profile.proxyMode,
    ...since(29, {
      nftables: { masqueradeAll: false, masqueradeBit: null, minSyncPeriod: '0s', syncPeriod: '0s' },
    }),
    nodePortAddresses: null,
    oomScoreAdj: null,
    portRange: '',
    ...until(18, { resourceContainer: '' }),
    ...since(18, { showHiddenMetricsForVersion: '' }),
    ...until(29, { udpIdleTimeout: '0s' }),
    ...since(20, {
      winkernel: {
        enableDSR: false,
        ...since(23, { forwardHealthCheckVip: false }),
        networkName: '',
        ...since(24, { rootHnsEndpointName: '' }),
        sourceVip: '',
      },
    }),
  };
}
