import test from "ava";
import { fixture, listening, serveProcess } from "../../process.ts";
import { send } from "../http/request.ts";

/** Node shares ports on Linux, FreeBSD and a few others, but not on macOS and Windows. */
const testSharing = process.platform === "linux" ? test : test.skip;

testSharing("--reuse-port shares the HTTP and gRPC ports between processes, but not the admin port", async (t) => {
  const serve = (flags: string[]): ReturnType<typeof serveProcess> => serveProcess(t, flags, { program: fixture });
  const first = await listening(serve(["--reuse-port"]));
  const ports = ["--addr", new URL(first.http).host, "--grpc-addr", first.grpc];
  const second = await listening(serve([...ports, "--reuse-port"]));
  t.is(second.http, first.http);
  t.is(second.grpc, first.grpc);
  t.not(second.admin, first.admin);
  t.is((await send(first.http, "/")).status, 200);

  const { code, err } = await serve(ports).ended;
  t.is(code, 1);
  t.is(err, `serve: cannot listen on ${first.grpc}: address already in use (--grpc-addr)\n`);
  const admin = ["--admin-addr", new URL(first.admin).host];
  const { err: adminError } = await serve([...ports, ...admin, "--reuse-port"]).ended;
  t.is(adminError, `serve: cannot listen on ${new URL(first.admin).host}: address already in use (--admin-addr)\n`);
});
