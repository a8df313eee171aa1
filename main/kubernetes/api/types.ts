// The kinds of the API as TypeScript types: upstream's field names, our metadata.
import type {
  IControllerRevision,
  IDaemonSet,
  IDeployment,
  IReplicaSet,
  IStatefulSet,
} from 'kubernetes-models/apps/v1';
import type { IHorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2';
import type { IScale } from 'kubernetes-models/autoscaling/v1';
import type { ICronJob, IJob } from 'kubernetes-models/batch/v1';
import type { ILease } from 'kubernetes-models/coordination.k8s.io/v1';
import type { IEndpoint, IEndpointPort, IEndpointSlice } from 'kubernetes-models/discovery.k8s.io/v1';
import type { IIngress, IIngressClass, INetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1';
import type { IPodDisruptionBudget } from 'kubernetes-models/policy/v1';
import type {
  IClusterRole,
  IClusterRoleBinding,
  IPolicyRule,
  IRole,
  IRoleBinding,
} from 'kubernetes-models/rbac.authorization.k8s.io/v1';
import type { IPriorityClass } from 'kubernetes-models/scheduling.k8s.io/v1';
import type { IStorageClass } from 'kubernetes-models/storage.k8s.io/v1';
import type {
  IBinding,
  IConfigMap,
  IContainer,
  IContainerState,
  IContainerStatus,
  IEndpoints,
  IEnvVar,
  IEvent,
  ILimitRange,
  INamespace,
  INode,
  INodeCondition,
  IPersistentVolume,
  IPersistentVolumeClaim,
  IPod,
  IPodCondition,
  IPodSpec,
  IPodTemplateSpec,
  IProbe,
  IReplicationController,
  IResourceQuota,
  ISecret,
  IService,
  IServiceAccount,
  IServicePort,
  ITaint,
  IToleration,
  IVolume,
} from 'kubernetes-models/v1';
import type { ObjectMeta } from './meta.ts';

/** A model of kubernetes-models with our type and metadata: all three may be absent in a request. */
type Kind<T> = Omit<T, 'apiVersion' | 'kind' | 'metadata'> & {
  apiVersion?: string;
  kind?: string;
  metadata?: ObjectMeta;
};

// core/v1
export type Binding = Kind<IBinding>;
export type ConfigMap = Kind<IConfigMap>;
export type Endpoints = Kind<IEndpoints>;
export type Event = Kind<IEvent>;
export type LimitRange = Kind<ILimitRange>;
export type Namespace = Kind<INamespace>;
export type Node = Kind<INode>;
export type PersistentVolume = Kind<IPersistentVolume>;
export type PersistentVolumeClaim = Kind<IPersistentVolumeClaim>;
export type Pod = Kind<IPod>;
export type ReplicationController = Kind<IReplicationController>;
export type ResourceQuota = Kind<IResourceQuota>;
export type Secret = Kind<ISecret>;
export type Service = Kind<IService>;
export type ServiceAccount = Kind<IServiceAccount>;

// apps/v1
export type ControllerRevision = Kind<IControllerRevision>;
export type DaemonSet = Kind<IDaemonSet>;
export type Deployment = Kind<IDeployment>;
export type ReplicaSet = Kind<IReplicaSet>;
export type StatefulSet = Kind<IStatefulSet>;

// other groups
export type ClusterRole = Kind<IClusterRole>;
export type ClusterRoleBinding = Kind<IClusterRoleBinding>;
export type CronJob = Kind<ICronJob>;
export type EndpointSlice = Kind<IEndpointSlice>;
export type HorizontalPodAutoscaler = Kind<IHorizontalPodAutoscaler>;
export type Ingress = Kind<IIngress>;
export type IngressClass = Kind<IIngressClass>;
export type Job = Kind<IJob>;
export type Lease = Kind<ILease>;
export type NetworkPolicy = Kind<INetworkPolicy>;
export type PodDisruptionBudget = Kind<IPodDisruptionBudget>;
export type PriorityClass = Kind<IPriorityClass>;
export type Role = Kind<IRole>;
export type RoleBinding = Kind<IRoleBinding>;
export type Scale = Kind<IScale>;
export type StorageClass = Kind<IStorageClass>;

// parts
export type Container = IContainer;
export type ContainerState = IContainerState;
export type ContainerStatus = IContainerStatus;
export type Endpoint = IEndpoint;
export type EndpointPort = IEndpointPort;
export type EnvVar = IEnvVar;
export type NodeCondition = INodeCondition;
export type PodCondition = IPodCondition;
export type PodSpec = IPodSpec;
/** A pod template; its metadata is ours too. */
export type PodTemplateSpec = Omit<IPodTemplateSpec, 'metadata'> & { metadata?: ObjectMeta };
export type PolicyRule = IPolicyRule;
export type Probe = IProbe;
export type ServicePort = IServicePort;
export type Taint = ITaint;
export type Toleration = IToleration;
export type Volume = IVolume;
