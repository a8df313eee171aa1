// Kubernetes' protobuf bodies: the magic number, runtime.Unknown, and the object inside.
import { badRequest } from '../refusals.ts';

/** Decodes a body to what its JSON form would parse to. Throws 400. */
export function decodeProtobuf(_bytes: Uint8Array): unknown {
  throw badRequest("drydock: protobuf bodies aren't simulated yet");
}
