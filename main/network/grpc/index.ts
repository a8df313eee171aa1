// gRPC over HTTP/2, unary calls only, and the health service that probes ask (grpc.health.v1).
export { checkHealth, serveHealth, type HealthStatus } from './health.ts';
export { GRPC_STATUS, GrpcError } from './unary.ts';
