// Images full of tools for looking at networks: dnsutils, netshoot, network-multitool.
import { alpine, bashFile, debian, withPackages, type Files } from './bases.ts';
import { repository, type Repository } from './image.ts';
import { nginxImage } from './nginx/image.ts';

/** What netshoot brings of the tools that there are. */
const NETSHOOT_PACKAGES = [
  'bind-utils',
  'bridge-utils',
  'conntrack-tools',
  'curl',
  'ethtool',
  'file',
  'gawk',
  'httpd-tools',
  'ipset',
  'iptables',
  'iproute',
  'iputils',
  'ipvsadm',
  'jq',
  'net-tools',
  'nmap-ncat',
  'openssh-clients',
  'openssl',
  'procps-ng',
  'tcpdump',
  'telnet',
  'traceroute',
  'util-linux',
  'vim-enhanced',
  'wget',
];
const DNS_PACKAGES = ['bind-utils', 'iputils', 'curl', 'net-tools', 'procps-ng'];

function dnsTools(): Files {
  return withPackages(debian({ number: '8.11', codename: 'jessie' }), DNS_PACKAGES);
}

export const TOOLBOXES: readonly Repository[] = [
  repository('docker.io/tutum/dnsutils', /^latest$/, () => ({
    base: dnsTools(),
    sizeBytes: 67_385_062,
    command: ['/bin/bash'],
    created: '2015-06-11T08:46:19Z',
  })),
  repository('registry.k8s.io/e2e-test-images/jessie-dnsutils', /^1\.[0-7]$/, () => ({
    base: dnsTools(),
    sizeBytes: 84_800_000,
    command: ['sleep', '3600'],
    created: '2022-04-18T17:34:42Z',
  })),
  repository('registry.k8s.io/e2e-test-images/dnsutils', /^1\.\d$/, () => ({
    base: dnsTools(),
    sizeBytes: 84_800_000,
    command: ['sleep', '3600'],
    created: '2019-09-20T16:00:00Z',
  })),
  repository('docker.io/infoblox/dnstools', /^(latest|v\d+)$/, () => ({
    base: withPackages(alpine('3.8.4'), DNS_PACKAGES),
    files: { '/bin/bash': bashFile() },
    sizeBytes: 5_900_000,
    entrypoint: ['/bin/sh'],
    created: '2018-06-25T16:02:36Z',
  })),
  repository(
    ['docker.io/nicolaka/netshoot', 'ghcr.io/nicolaka/netshoot'],
    /^(latest|v0\.(\d|1[0-4])(\.\d)?)$/,
    (tag) => ({
      base: withPackages(alpine('3.22.2'), NETSHOOT_PACKAGES),
      files: { '/bin/bash': bashFile(), '/usr/bin/zsh': bashFile() },
      build: tag === 'latest' ? 'v0.14' : tag,
      sizeBytes: 201_700_000,
      workingDirectory: '/root',
      command: ['zsh'],
      created: '2025-04-02T04:30:36Z',
      labels: { maintainer: 'Nicola Kabar @nicolaka' },
    }),
  ),
  {
    names: ['docker.io/wbitt/network-multitool', 'docker.io/praqma/network-multitool'],
    image(tag) {
      const nginx = /^(latest|alpine|minimal|extra|alpine-minimal|alpine-extra|fedora)$/.test(tag)
        ? nginxImage('alpine')
        : undefined;
      if (nginx === undefined) return undefined;
      const { name: _, files, ...rest } = nginx;
      return {
        ...rest,
        base: withPackages(files, NETSHOOT_PACKAGES),
        files: { '/bin/bash': bashFile() },
        sizeBytes: 24_900_000,
      };
    },
  },
];
