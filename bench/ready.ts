import { get } from "node:http";
import { connect } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import type { Protocol } from "./subjects.ts";

/** Asks again and again until the first greeting. @throws {Error} none came in 20 s */
export async function untilGreeted(protocol: Protocol, port: number, path: string): Promise<void> {
  const end = performance.now() + 20_000;
  const greeted = protocol === "http" ? greetedOverHttp : greetedOverGrpc;
  while (!(await greeted(port, path))) {
    if (performance.now() > end) throw new Error(`No greeting over ${protocol} on port ${port} in 20 s`);
    await sleep(1);
  }
}

function greetedOverHttp(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    get({ host: "127.0.0.1", port, path, agent: false }, (response) => {
      response.resume().on("end", () => resolve(response.statusCode === 200));
    }).on("error", () => resolve(false));
  });
}

function greetedOverGrpc(port: number, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connect(`http://127.0.0.1:${port}`);
    const end = (greeted: boolean): void => {
      session.destroy();
      resolve(greeted);
    };
    session.on("error", () => end(false));
    const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
    const stream = session.request(headers);
    let status: unknown;
    stream.on("error", () => end(false));
    stream.on("trailers", (trailers) => (status = trailers["grpc-status"]));
    stream.on("close", () => end(status === "0"));
    stream.resume().end(Buffer.from([0, 0, 0, 0, 5, 0x0a, 3, 0x41, 0x64, 0x61]));
  });
}
