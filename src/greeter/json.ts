import { create, toJsonString } from "@bufbuild/protobuf";
import type { BuildInfo } from "../platform/build-info.ts";
import { GreetResponseSchema, VersionResponseSchema } from "../gen/greeter/v1/greeter_pb.ts";

/** A greeting as protobuf JSON of its response, for HTTP and the command line (https://protobuf.dev/programming-guides/json/). */
export function greetingJson(message: string): string {
  return toJsonString(GreetResponseSchema, create(GreetResponseSchema, { message }));
}

/** Build information as protobuf JSON of its response. */
export function buildInfoJson(buildInfo: BuildInfo): string {
  return toJsonString(VersionResponseSchema, create(VersionResponseSchema, buildInfo));
}
