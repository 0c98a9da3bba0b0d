import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import test from "ava";
import type { BuildInfo } from "../../src/platform/build-info.ts";
import { createGreeterClient } from "../../src/greeter/client.ts";
import { createContext } from "../../src/platform/context.ts";
import { freePort } from "../free-port.ts";
import { modulesIn, modulesOf } from "../bill-of-materials.ts";
import { listening } from "../process.ts";
import { send } from "../platform/http/request.ts";
import type { Container, Ended } from "./engine.ts";
import { confined, kernelStatus, podman, runImage, serveContainer } from "./engine.ts";

interface Image {
  Digest: string;
  Labels: Record<string, string>;
  Size: number;
}

async function inspect(name: string): Promise<Image> {
  const [image] = JSON.parse((await podman("image", "inspect", name)).stdout) as [Image];
  return image;
}

/** Runs Node in the shared container. */
const run = (...args: string[]): Promise<Ended> => podman("exec", container.name, "/nodejs/bin/node", ...args);

const execute = promisify(execFile);
const text = { accept: "text/plain" };

/** Shared container, with the restrictions of a cluster. Tests that stop a container start their own. */
let container: Container;
const cleanups: (() => unknown)[] = [];
test.before("start a container", async () => {
  container = serveContainer({ teardown: (cleanup) => cleanups.push(cleanup) }, confined);
  await listening(container);
});
test.after.always("remove the container", () => Promise.all(cleanups.map((cleanup) => cleanup())));

test("a restricted container greets over both protocols", async (t) => {
  const { http, grpc } = await listening(container);
  t.is((await send(http, "/Bob", text)).body, "Hello, Bob!\n");
  const client = createGreeterClient({ target: grpc });
  t.teardown(() => client.close());
  t.is(await client.greet("Bob", createContext({ deadline: Date.now() + 10_000 })), "Hello, Bob!");
});

test("a container with 128 MiB and half a CPU serves 50 clients and a health check", async (t) => {
  const { http, grpc, admin } = await listening(container);
  const client = createGreeterClient({ target: grpc });
  t.teardown(() => client.close());
  const caller = async (_: unknown, number: number): Promise<void> => {
    for (let round = 0; round < 50; round++) {
      const name = `${number}-${round}`;
      t.is((await send(http, `/${name}`, text)).body, `Hello, ${name}!\n`);
      t.is(await client.greet(name, createContext({ deadline: Date.now() + 30_000 })), `Hello, ${name}!`);
    }
  };
  await Promise.all(Array.from({ length: 50 }, caller));
  // A health check is another process within the same memory limit.
  t.like(await run("/app/greeter.cjs", "check-health", "--admin-addr", new URL(admin).host), { code: 0 });
  t.is((await send(http, "/Bob", text)).body, "Hello, Bob!\n");
});

test("the service is process 1 of its container, with a numeric user and no capabilities", async (t) => {
  const { status, memoryLimit } = await kernelStatus(container);
  t.is(status["NSpid"]!.split("\t").at(-1), "1");
  t.is(status["Uid"], "65532\t65532\t65532\t65532");
  t.is(status["Gid"], "65532\t65532\t65532\t65532");
  t.regex(status["CapEff"]!, /^0+$/);
  t.regex(status["CapBnd"]!, /^0+$/);
  t.is(status["NoNewPrivs"], "1");
  t.is(memoryLimit, 128 * 2 ** 20);
});

test("SIGTERM drains the container: it turns unready, serves for the drain delay, and ends with exit code 0", async (t) => {
  const container = serveContainer(t, confined, { flags: ["--drain-delay", "2s"] });
  const { http, admin } = await listening(container);
  t.is((await send(admin, "/readyz")).status, 200);
  await podman("kill", "--signal", "TERM", container.name);
  await container.logged(({ msg }) => msg.startsWith("Draining"));
  t.is((await send(admin, "/readyz")).status, 503);
  t.is((await send(http, "/Bob", text)).body, "Hello, Bob!\n");
  t.like(await container.ended, { code: 0 });
  t.like(container.lines.at(-1), { msg: "Stopped", reason: "SIGTERM", cut: 0 });
});

test("the service writes no file, even if it has the permission", async (t) => {
  const container = serveContainer(t, []);
  const { http, admin } = await listening(container);
  await send(http, "/Bob");
  await send(admin, "/metrics");
  await podman("exec", container.name, "/nodejs/bin/node", "/app/greeter.cjs", "check-health");
  const { stdout } = await podman("diff", container.name);
  // Files and mount points of podman itself.
  t.deepEqual(
    stdout.split("\n").filter((line) => !/^(?:$|. \/(?:etc|run|dev|proc|sys)\b)/.test(line)),
    [],
  );
  const script = "for (const fd of fs.readdirSync('/proc/1/fd')) console.log(fs.readlinkSync(`/proc/1/fd/${fd}`))";
  const { stdout: files } = await podman("exec", container.name, "/nodejs/bin/node", "--eval", script);
  t.regex(files, /^socket:/m);
  t.deepEqual(
    files.split("\n").filter((file) => file.startsWith("/") && file !== "/dev/null"),
    [],
  );
});

test("the health check's command ends with 0 while the service serves, and with 1 while it drains", async (t) => {
  const port = await freePort();
  const container = serveContainer(t, [...confined, "--env", `GREETER_ADMIN_ADDR=0.0.0.0:${port}`], {
    ports: ["--addr", "--grpc-addr"],
    flags: ["--drain-delay", "5s"],
  });
  await container.logged(({ msg }) => msg === "Serving");
  const [, command = ""] = /^HEALTHCHECK .*\\\n *CMD (.*)$/m.exec(await readFile("Dockerfile", "utf8")) ?? [];
  const check = ["exec", container.name, ...(JSON.parse(command) as string[])];
  t.like(await podman(...check), { code: 0, stdout: "serving\n" });
  await podman("kill", "--signal", "TERM", container.name);
  await container.logged(({ msg }) => msg.startsWith("Draining"));
  t.like(await podman(...check), { code: 1, stderr: "check-health: not serving: draining\n" });
});

test("the build information and the image's labels have the revision", async (t) => {
  const revision = (await execute("git", ["rev-parse", "HEAD"])).stdout.trim();
  const { stdout } = await run("/app/greeter.cjs", "version", "--output", "json");
  const { main, settings } = JSON.parse(stdout) as BuildInfo;
  t.is(settings["vcs.revision"], revision);
  const source = await execute("deploy/image/build-args");
  const { Labels: labels } = await inspect("localhost/greeter:first");
  t.like(labels, {
    "org.opencontainers.image.revision": revision,
    "org.opencontainers.image.version": main.version,
    "org.opencontainers.image.licenses": "Apache-2.0",
    "org.opencontainers.image.source": /VCS_SOURCE=(.*)/.exec(source.stdout)![1],
  });
});

test("the bill of materials lists exactly the modules of the build information", async (t) => {
  const { stdout } = await run("/app/greeter.cjs", "version", "--output", "json");
  const script = "process.stdout.write(fs.readFileSync('/app/greeter.cdx.json'))";
  const { stdout: bill } = await run("--eval", script);
  t.deepEqual(modulesIn(bill), modulesOf(JSON.parse(stdout) as BuildInfo));
});

test("an invalid setting ends the container with exit code 2 and one line of explanation", async (t) => {
  t.deepEqual(
    await runImage([...confined, "--env", "GREETER_ADDR=8080"]).then(({ code, stdout, stderr }) => ({
      code,
      stdout,
      stderr,
    })),
    {
      code: 2,
      stdout: "",
      stderr: 'serve: invalid GREETER_ADDR "8080": expected host:port, for example 0.0.0.0:8080, [::]:8080 or :8080\n',
    },
  );
});

test("the image adds less than 3 MiB to its base", async (t) => {
  const bases = [...(await readFile("Dockerfile", "utf8")).matchAll(/^FROM (?:--\S+ )?(\S+)/gm)].map(
    ([, base]) => base!,
  );
  const size = (await inspect("localhost/greeter:first")).Size - (await inspect(bases.at(-1)!)).Size;
  t.true(size > 0 && size < 3 * 2 ** 20, `${size} bytes`);
});

test("two builds of a commit have the same digest", async (t) => {
  const [first, second] = await Promise.all(["first", "second"].map((tag) => inspect(`localhost/greeter:${tag}`)));
  t.is(second!.Digest, first!.Digest);
});
