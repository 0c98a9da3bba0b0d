import { join } from "node:path";

export type Protocol = "http" | "grpc";

/** A measured program. */
export interface Subject {
  name: string;
  protocols: Protocol[];
  /** Returns the command that starts it on some ports. */
  command: (ports: { http: number; grpc: number; admin: number }) => string[];
  /** Path of its greeting method, if it is not Greeter's. */
  greet?: string;
}

const file = (name: string): string => join(import.meta.dirname, name);

const peer = (name: string, script: string, protocol: Protocol): Subject => ({
  name,
  protocols: [protocol],
  command: (ports) => [process.execPath, file(`peers/${script}`), String(ports[protocol])],
});

/** Every subject. The first is the service with its defaults. */
export const subjects: Subject[] = [
  { name: "Greeter", protocols: ["http", "grpc"], command: (ports) => greeter(ports) },
  peer("node:http", "node-http.js", "http"),
  peer("koa", "koa.js", "http"),
  peer("koa + router", "koa-router.js", "http"),
  peer("fastify", "fastify.js", "http"),
  peer("express", "express.js", "http"),
  { name: "Go net/http", protocols: ["http"], command: ({ http }) => [file(".installed/http"), String(http)] },
  peer("node:http2", "node-http2.js", "grpc"),
  peer("grpc-js", "grpc-js.js", "grpc"),
  peer("connect-node", "connect.js", "grpc"),
  peer("nice-grpc", "nice-grpc.js", "grpc"),
  {
    name: "grpc-go",
    protocols: ["grpc"],
    command: ({ grpc }) => [file(".installed/grpc"), String(grpc)],
    greet: "/helloworld.Greeter/SayHello",
  },
];

/**
 * Returns the command that starts the built service.
 * @param flags additional flags
 */
export function greeter(ports: { http: number; grpc: number; admin: number }, flags: string[] = []): string[] {
  const at = (port: number): string => `127.0.0.1:${port}`;
  const addresses = ["--addr", at(ports.http), "--grpc-addr", at(ports.grpc), "--admin-addr", at(ports.admin)];
  return [process.execPath, file("../dist/greeter.cjs"), "serve", ...addresses, ...flags];
}

/** A kind of request. Peers get only the first of each protocol. */
export interface Scenario {
  name: string;
  protocol: Protocol;
  path: string;
  /** Accept header over HTTP. */
  accept?: string;
  /** Request message over gRPC, in hexadecimal. */
  message?: string;
  /** Expected response: its text over HTTP, its message in hexadecimal over gRPC. */
  answer: RegExp;
}

const hex = (text: string): string => Buffer.from(text).toString("hex");

export const scenarios: Scenario[] = [
  { name: "a name, as text", protocol: "http", path: "/Ada", accept: "text/plain", answer: /^Hello, Ada!\n$/ },
  { name: "/, the page", protocol: "http", path: "/", accept: "text/html", answer: /<title>Hello, Linky 🐙!<\/title>/ },
  {
    name: "a name, as JSON",
    protocol: "http",
    path: "/Ada",
    accept: "application/json",
    answer: /^\{"message":"Hello, Ada!"\}\n?$/,
  },
  { name: "/version, as text", protocol: "http", path: "/version", accept: "text/plain", answer: /^runtime\tnode v/ },
  {
    name: "Greet",
    protocol: "grpc",
    path: "/greeter.v1.GreeterService/Greet",
    message: "0a03416461",
    answer: new RegExp(`^0a0b${hex("Hello, Ada!")}$`),
  },
  {
    name: "Version",
    protocol: "grpc",
    path: "/greeter.v1.GreeterService/Version",
    message: "",
    answer: new RegExp(`^0a..${hex("node v")}`),
  },
  { name: "Health/Check", protocol: "grpc", path: "/grpc.health.v1.Health/Check", message: "", answer: /^0801$/ },
];

/** Returns the scenarios of a subject over a protocol, with its own path. */
export function scenariosOf({ name, greet }: Subject, protocol: Protocol): Scenario[] {
  const all = scenarios.filter((scenario) => scenario.protocol === protocol);
  const asked = name === "Greeter" ? all : all.slice(0, 1);
  return asked.map((scenario) => (greet === undefined ? scenario : { ...scenario, path: greet }));
}
