// Mirrors: registries that hold what others publish, under other names. Those in China are what its courses use.

/** A name's beginning at the mirror, and what stands for it upstream. The first that fits counts. */
const MIRRORS: readonly (readonly [prefix: string, upstream: string])[] = [
  ['registry.aliyuncs.com/google_containers/', 'registry.k8s.io/'],
  ['registry.cn-hangzhou.aliyuncs.com/google_containers/', 'registry.k8s.io/'],
  ['registry.cn-beijing.aliyuncs.com/google_containers/', 'registry.k8s.io/'],
  ['k8s.gcr.io/', 'registry.k8s.io/'],
  ['gcr.io/google_containers/', 'registry.k8s.io/'],
  ['gcr.io/google-containers/', 'registry.k8s.io/'],
  ['gcr.io/kubernetes-e2e-test-images/', 'registry.k8s.io/e2e-test-images/'],
  ['us.gcr.io/k8s-artifacts-prod/', 'registry.k8s.io/'],
  ['k8s.m.daocloud.io/', 'registry.k8s.io/'],
  ['k8s-gcr.m.daocloud.io/', 'registry.k8s.io/'],
  ['docker.m.daocloud.io/', 'docker.io/'],
  ['gcr.m.daocloud.io/', 'gcr.io/'],
  ['ghcr.m.daocloud.io/', 'ghcr.io/'],
  ['quay.m.daocloud.io/', 'quay.io/'],
  ['m.daocloud.io/', ''],
  ['docker.mirrors.ustc.edu.cn/', 'docker.io/'],
  ['hub-mirror.c.163.com/', 'docker.io/'],
  ['mirror.ccs.tencentyun.com/', 'docker.io/'],
  ['mirror.baidubce.com/', 'docker.io/'],
  ['registry.docker-cn.com/', 'docker.io/'],
  ['dockerproxy.com/', 'docker.io/'],
  ['dockerproxy.cn/', 'docker.io/'],
  ['docker.1ms.run/', 'docker.io/'],
  ['mirror.gcr.io/', 'docker.io/'],
  ['public.ecr.aws/docker/', 'docker.io/'],
];

/** Registries with nothing of their own here that answer all the same. */
const OTHER_HOSTS = [
  'docker.elastic.co',
  'gcr.io',
  'ghcr.io',
  'mcr.microsoft.com',
  'nvcr.io',
  'quay.io',
  'registry.access.redhat.com',
  'registry.gitlab.com',
  'registry.cn-shanghai.aliyuncs.com',
  'registry.cn-shenzhen.aliyuncs.com',
  'swr.cn-north-4.myhuaweicloud.com',
  'ccr.ccs.tencentyun.com',
];

/** The name upstream of what a mirror holds; other names as they are. Images with one part get `library/` at Docker Hub. */
export function upstreamName(repository: string): string {
  const mirror = MIRRORS.find(([prefix]) => repository.startsWith(prefix));
  if (mirror === undefined) return repository;
  const name = mirror[1] + repository.slice(mirror[0].length);
  if (mirror[1] === '' && !/^[^/]*\.[^/]*\//.test(name)) return upstreamName(`docker.io/${name}`);
  return /^docker\.io\/[^/]+$/.test(name)
    ? name.replace('docker.io/', 'docker.io/library/')
    : mirror[1] === ''
      ? upstreamName(name)
      : name;
}

/** Whether a registry's name can be looked up: those of the repositories, the mirrors, and some more. */
export function isRegistryHost(host: string, repositories: readonly string[]): boolean {
  const starts = [...repositories, ...MIRRORS.map(([prefix]) => prefix)];
  return OTHER_HOSTS.includes(host) || starts.some((name) => name.startsWith(`${host}/`));
}
