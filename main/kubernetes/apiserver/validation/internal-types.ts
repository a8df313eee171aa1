// The field order of the server's internal types, as messages show whole structs (pkg/apis/core/types.go and its siblings).

/**
 * `Name` or `Name=wireName`, then what it holds: `s` text (the default), `n` number, `b` boolean, `q` quantity, `p` a pointer or list
 * of plain values, `m` a map, `L` a label selector, `Type` a struct, `*Type` a pointer, `[]Type` a list. `:+Type` are members that
 * stand here (`member:+Type`: those of a member of the wire), `Type^` is a struct whose members stand one level higher on the wire.
 */
export const INTERNAL_TYPES: Readonly<Record<string, string>> = {
  PodSpec: `Volumes:[]Volume InitContainers:[]Container Containers:[]Container EphemeralContainers:[]EphemeralContainer
    RestartPolicy TerminationGracePeriodSeconds:p ActiveDeadlineSeconds:p DNSPolicy NodeSelector:m ServiceAccountName
    AutomountServiceAccountToken:p NodeName SecurityContext:PodSecurity^ ImagePullSecrets:[]LocalObjectReference Hostname
    Subdomain SetHostnameAsFQDN:p Affinity:*Affinity SchedulerName Tolerations:[]Toleration HostAliases:[]HostAlias
    PriorityClassName Priority:p PreemptionPolicy:p DNSConfig:*PodDNSConfig ReadinessGates:[]PodReadinessGate
    RuntimeClassName:p Overhead:m EnableServiceLinks:p TopologySpreadConstraints:[]TopologySpreadConstraint OS:*PodOS
    SchedulingGates:[]PodSchedulingGate ResourceClaims:[]PodResourceClaim Resources:*ResourceRequirements HostnameOverride:p
    SchedulingGroup:*PodSchedulingGroup`,
  PodSecurity: `HostNetwork:b HostPID:b HostIPC:b ShareProcessNamespace:p HostUsers:p securityContext:+PodSecurityContext`,
  PodSecurityContext: `SELinuxOptions:*SELinuxOptions WindowsOptions:*WindowsOptions RunAsUser:p RunAsGroup:p RunAsNonRoot:p
    SupplementalGroups:p SupplementalGroupsPolicy:p FSGroup:p FSGroupChangePolicy:p Sysctls:[]Sysctl
    SeccompProfile:*SeccompProfile AppArmorProfile:*AppArmorProfile SELinuxChangePolicy:p`,
  PodSchedulingGroup: `PodGroupName:p`,
  LocalObjectReference: `Name`,
  SELinuxOptions: `User Role Type Level`,
  WindowsOptions: `GMSACredentialSpecName:p GMSACredentialSpec:p RunAsUserName:p HostProcess:p`,
  Sysctl: `Name Value`,
  SeccompProfile: `Type LocalhostProfile:p`,
  AppArmorProfile: `Type LocalhostProfile:p`,
  Container: `:+ContainerCommon`,
  EphemeralContainer: `:+ContainerCommon TargetContainerName`,
  ContainerCommon: `Name Image Command:p Args:p WorkingDir Ports:[]ContainerPort EnvFrom:[]EnvFromSource Env:[]EnvVar
    Resources:ResourceRequirements ResizePolicy:[]ContainerResizePolicy RestartPolicy:p RestartPolicyRules:[]ContainerRestartRule
    VolumeMounts:[]VolumeMount VolumeDevices:[]VolumeDevice LivenessProbe:*Probe ReadinessProbe:*Probe StartupProbe:*Probe
    Lifecycle:*Lifecycle TerminationMessagePath TerminationMessagePolicy ImagePullPolicy SecurityContext:*SecurityContext
    Stdin:b StdinOnce:b TTY:b`,
  ContainerPort: `Name HostPort:n ContainerPort:n Protocol HostIP`,
  EnvFromSource: `Prefix ConfigMapRef:*OptionalReference SecretRef:*OptionalReference`,
  OptionalReference: `Name Optional:p`,
  EnvVar: `Name Value ValueFrom:*EnvVarSource`,
  EnvVarSource: `FieldRef:*ObjectFieldSelector ResourceFieldRef:*ResourceFieldSelector ConfigMapKeyRef:*KeySelector
    SecretKeyRef:*KeySelector FileKeyRef:*FileKeySelector`,
  ObjectFieldSelector: `APIVersion FieldPath`,
  ResourceFieldSelector: `ContainerName Resource Divisor:q`,
  KeySelector: `Name Key Optional:p`,
  FileKeySelector: `VolumeName Path Key Optional:p`,
  ResourceRequirements: `Limits:m Requests:m Claims:[]ResourceClaim`,
  ResourceClaim: `Name Request`,
  ContainerResizePolicy: `ResourceName RestartPolicy`,
  ContainerRestartRule: `Action ExitCodes:*ContainerRestartRuleOnExitCodes`,
  ContainerRestartRuleOnExitCodes: `Operator Values:p`,
  VolumeMount: `Name ReadOnly:b RecursiveReadOnly:p MountPath SubPath MountPropagation:p SubPathExpr`,
  VolumeDevice: `Name DevicePath`,
  Probe: `Exec:*ExecAction HTTPGet:*HTTPGetAction TCPSocket:*TCPSocketAction GRPC:*GRPCAction InitialDelaySeconds:n
    TimeoutSeconds:n PeriodSeconds:n SuccessThreshold:n FailureThreshold:n TerminationGracePeriodSeconds:p`,
  ExecAction: `Command:p`,
  HTTPGetAction: `Path Port:n Host Scheme HTTPHeaders:[]HTTPHeader`,
  HTTPHeader: `Name Value`,
  TCPSocketAction: `Port:n Host`,
  GRPCAction: `Port:n Service:p`,
  Lifecycle: `PostStart:*LifecycleHandler PreStop:*LifecycleHandler StopSignal:p`,
  LifecycleHandler: `Exec:*ExecAction HTTPGet:*HTTPGetAction TCPSocket:*TCPSocketAction Sleep:*SleepAction`,
  SleepAction: `Seconds:n`,
  SecurityContext: `Capabilities:*Capabilities Privileged:p SELinuxOptions:*SELinuxOptions WindowsOptions:*WindowsOptions
    RunAsUser:p RunAsGroup:p RunAsNonRoot:p ReadOnlyRootFilesystem:p AllowPrivilegeEscalation:p ProcMount:p
    SeccompProfile:*SeccompProfile AppArmorProfile:*AppArmorProfile`,
  Capabilities: `Add:p Drop:p`,
  Affinity: `NodeAffinity:*NodeAffinity PodAffinity:*PodAffinity PodAntiAffinity:*PodAffinity`,
  NodeAffinity: `RequiredDuringSchedulingIgnoredDuringExecution:*NodeSelector
    PreferredDuringSchedulingIgnoredDuringExecution:[]PreferredSchedulingTerm`,
  NodeSelector: `NodeSelectorTerms:[]NodeSelectorTerm`,
  NodeSelectorTerm: `MatchExpressions:[]NodeSelectorRequirement MatchFields:[]NodeSelectorRequirement`,
  NodeSelectorRequirement: `Key Operator Values:p`,
  PreferredSchedulingTerm: `Weight:n Preference:NodeSelectorTerm`,
  PodAffinity: `RequiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm
    PreferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm`,
  PodAffinityTerm: `LabelSelector:L Namespaces:p TopologyKey NamespaceSelector:L MatchLabelKeys:p MismatchLabelKeys:p`,
  WeightedPodAffinityTerm: `Weight:n PodAffinityTerm:PodAffinityTerm`,
  Toleration: `Key Operator Value Effect TolerationSeconds:p`,
  HostAlias: `IP Hostnames:p`,
  PodDNSConfig: `Nameservers:p Searches:p Options:[]PodDNSConfigOption`,
  PodDNSConfigOption: `Name Value:p`,
  PodReadinessGate: `ConditionType`,
  TopologySpreadConstraint: `MaxSkew:n TopologyKey WhenUnsatisfiable LabelSelector:L MinDomains:p NodeAffinityPolicy:p
    NodeTaintsPolicy:p MatchLabelKeys:p`,
  PodOS: `Name`,
  PodSchedulingGate: `Name`,
  PodResourceClaim: `Name ResourceClaimName:p ResourceClaimTemplateName:p`,
  Volume: `Name HostPath:*HostPath EmptyDir:*EmptyDir GCEPersistentDisk:*GCEDisk AWSElasticBlockStore:*AWSDisk GitRepo:*GitRepo
    Secret:*SecretVolume NFS:*NFS ISCSI:*ISCSI Glusterfs:*Glusterfs PersistentVolumeClaim:*ClaimVolume RBD:*RBD Quobyte:*Quobyte
    FlexVolume:*FlexVolume Cinder:*Cinder CephFS=cephfs:*CephFS Flocker:*Flocker DownwardAPI:*DownwardAPIVolume FC:*FC
    AzureFile:*AzureFile ConfigMap:*ConfigMapVolume VsphereVolume:*VsphereVolume AzureDisk:*AzureDisk
    PhotonPersistentDisk:*PhotonDisk Projected:*Projected PortworxVolume:*Portworx ScaleIO:*ScaleIO StorageOS=storageos:*StorageOS
    CSI:*CSI Ephemeral:*Ephemeral Image:*Image`,
  PersistentVolumeSource: `GCEPersistentDisk:*GCEDisk AWSElasticBlockStore:*AWSDisk HostPath:*HostPath
    Glusterfs:*GlusterfsPersistent NFS:*NFS RBD:*RBD Quobyte:*Quobyte ISCSI:*ISCSI FlexVolume:*FlexVolume Cinder:*Cinder
    CephFS=cephfs:*CephFS FC:*FC Flocker:*Flocker AzureFile:*AzureFilePersistent VsphereVolume:*VsphereVolume
    AzureDisk:*AzureDisk PhotonPersistentDisk:*PhotonDisk PortworxVolume:*Portworx ScaleIO:*ScaleIO Local:*Local
    StorageOS=storageos:*StorageOS CSI:*CSIPersistent`,
  HostPath: `Path Type:p`,
  EmptyDir: `Medium SizeLimit:p`,
  GCEDisk: `PDName FSType Partition:n ReadOnly:b`,
  AWSDisk: `VolumeID FSType Partition:n ReadOnly:b`,
  GitRepo: `Repository Revision Directory`,
  SecretVolume: `SecretName Items:[]KeyToPath DefaultMode:p Optional:p`,
  KeyToPath: `Key Path Mode:p`,
  NFS: `Server Path ReadOnly:b`,
  ISCSI: `TargetPortal IQN Lun:n ISCSIInterface FSType ReadOnly:b Portals:p DiscoveryCHAPAuth=chapAuthDiscovery:b
    SessionCHAPAuth=chapAuthSession:b SecretRef:*SecretReference InitiatorName:p`,
  Glusterfs: `EndpointsName=endpoints Path ReadOnly:b`,
  GlusterfsPersistent: `EndpointsName=endpoints Path ReadOnly:b EndpointsNamespace:p`,
  ClaimVolume: `ClaimName ReadOnly:b`,
  RBD: `CephMonitors=monitors:p RBDImage=image FSType RBDPool=pool RadosUser=user Keyring SecretRef:*SecretReference ReadOnly:b`,
  Quobyte: `Registry Volume ReadOnly:b User Group Tenant`,
  FlexVolume: `Driver FSType SecretRef:*SecretReference ReadOnly:b Options:m`,
  Cinder: `VolumeID FSType ReadOnly:b SecretRef:*SecretReference`,
  CephFS: `Monitors:p Path User SecretFile SecretRef:*SecretReference ReadOnly:b`,
  Flocker: `DatasetName DatasetUUID`,
  DownwardAPIVolume: `Items:[]DownwardAPIFile DefaultMode:p`,
  DownwardAPIFile: `Path FieldRef:*ObjectFieldSelector ResourceFieldRef:*ResourceFieldSelector Mode:p`,
  FC: `TargetWWNs:p Lun:p FSType ReadOnly:b WWIDs=wwids:p`,
  AzureFile: `SecretName ShareName ReadOnly:b`,
  AzureFilePersistent: `SecretName ShareName ReadOnly:b SecretNamespace:p`,
  ConfigMapVolume: `Name Items:[]KeyToPath DefaultMode:p Optional:p`,
  VsphereVolume: `VolumePath FSType StoragePolicyName StoragePolicyID`,
  AzureDisk: `DiskName DataDiskURI=diskURI CachingMode:p FSType:p ReadOnly:p Kind:p`,
  PhotonDisk: `PdID=pdID FSType`,
  Projected: `Sources:[]Projection DefaultMode:p`,
  Projection: `Secret:*SourceProjection DownwardAPI:*DownwardAPIProjection ConfigMap:*SourceProjection
    ServiceAccountToken:*TokenProjection ClusterTrustBundle:*TrustBundleProjection PodCertificate:*PodCertificateProjection`,
  SourceProjection: `Name Items:[]KeyToPath Optional:p`,
  DownwardAPIProjection: `Items:[]DownwardAPIFile`,
  TokenProjection: `Audience ExpirationSeconds:n Path`,
  TrustBundleProjection: `Name:p SignerName:p LabelSelector:L Optional:p Path`,
  PodCertificateProjection: `SignerName KeyType MaxExpirationSeconds:p CredentialBundlePath KeyPath CertificateChainPath
    UserAnnotations:m`,
  Portworx: `VolumeID FSType ReadOnly:b`,
  ScaleIO: `Gateway System SecretRef:*SecretReference SSLEnabled:b ProtectionDomain StoragePool StorageMode VolumeName FSType
    ReadOnly:b`,
  StorageOS: `VolumeName VolumeNamespace FSType ReadOnly:b SecretRef:*SecretReference`,
  CSI: `Driver ReadOnly:p FSType:p VolumeAttributes:m NodePublishSecretRef:*LocalObjectReference`,
  CSIPersistent: `Driver VolumeHandle ReadOnly:b FSType VolumeAttributes:m ControllerPublishSecretRef:*SecretReference
    NodeStageSecretRef:*SecretReference NodePublishSecretRef:*SecretReference ControllerExpandSecretRef:*SecretReference
    NodeExpandSecretRef:*SecretReference`,
  SecretReference: `Name Namespace`,
  Ephemeral: `VolumeClaimTemplate:*ClaimTemplate`,
  ClaimTemplate: `Spec:PersistentVolumeClaimSpec`,
  Image: `Reference PullPolicy`,
  Local: `Path FSType:p`,
  PersistentVolumeClaimSpec: `AccessModes:p Selector:L Resources:VolumeResources VolumeName StorageClassName:p VolumeMode:p
    DataSource:*TypedReference DataSourceRef:*TypedNamespacedReference VolumeAttributesClassName:p`,
  VolumeResources: `Limits:m Requests:m`,
  TypedReference: `APIGroup:p Kind Name`,
  TypedNamespacedReference: `APIGroup:p Kind Name Namespace:p`,
  VolumeNodeAffinity: `Required:*NodeSelector`,
  DeploymentStrategy: `Type RollingUpdate:*RollingUpdate`,
  DaemonSetUpdateStrategy: `Type RollingUpdate:*RollingUpdate`,
  RollingUpdate: `MaxUnavailable:n MaxSurge:n`,
  StatefulSetUpdateStrategy: `Type RollingUpdate:*RollingUpdateStatefulSet`,
  RollingUpdateStatefulSet: `Partition:n MaxUnavailable:p`,
  PodDisruptionBudgetSpec: `MinAvailable:p Selector:L MaxUnavailable:p UnhealthyPodEvictionPolicy:p`,
  ServicePort: `Name Protocol AppProtocol:p Port:n TargetPort:n NodePort:n`,
  RoleRef: `APIGroup Kind Name`,
  Endpoint: `Addresses:p Conditions:EndpointConditions Hostname:p DeprecatedTopology:m NodeName:p Zone:p Hints:p`,
  EndpointConditions: `Ready:p Serving:p Terminating:p`,
  UncountedTerminatedPods: `Succeeded:p Failed:p`,
  Taint: `Key Value Effect TimeAdded:p`,
  CSINodeDriver: `Name NodeID TopologyKeys:p Allocatable:*VolumeNodeResources`,
  VolumeNodeResources: `Count:p`,
  CertificateSigningRequestCondition: `Type Status Reason Message LastUpdateTime:p LastTransitionTime:p`,
};
