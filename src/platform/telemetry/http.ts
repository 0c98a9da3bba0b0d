import type { IncomingMessage } from "node:http";
import { followExchanges } from "./request.ts";
import type { Arrival, Begin, Ending, Observers, Terms } from "./request.ts";
import type { Level } from "./log.ts";
import { durationBounds } from "./metrics.ts";
import { remember } from "./memoize.ts";

/** What is to be known of a request when it arrives. */
export type HttpArrival = Arrival & Pick<IncomingMessage, "method" | "url" | "httpVersion">;

/** How a request ended. */
export interface HttpEnding extends Ending {
  /** Which of the service's routes it took: one of a few. */
  route: string;
  /** Undefined where nobody was there to be answered any more. */
  status: number | undefined;
}

export type HttpExchange = ReturnType<HttpTelemetry["begin"]>;

/** Hears of every HTTP request. */
export interface HttpTelemetry {
  begin: Begin<HttpArrival, HttpEnding>;
}

/** What a method or a route is called that is none of the known: the convention's word. */
const OTHER = "_OTHER";

/** Those that the convention counts as known. */
const methods = new Set(["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"]);

/**
 * Tells of HTTP requests by OpenTelemetry's conventions
 * (https://opentelemetry.io/docs/specs/semconv/http/http-metrics/, https://opentelemetry.io/docs/specs/semconv/http/http-spans/).
 * @param ownScheme how clients reach it, unless a proxy says otherwise
 */
export function httpTelemetry(observers: Observers, ownScheme: "http" | "https"): HttpTelemetry {
  const { metrics } = observers;
  const actives = metrics.gauge("http_server_active_requests", "HTTP requests that are being served.");
  const active = remember((method: string, scheme: string) =>
    actives.with({ http_request_method: knownMethod(method), url_scheme: scheme }),
  );
  const help = "Duration of HTTP requests, in seconds.";
  const durations = metrics.histogram("http_server_request_duration_seconds", help, durationBounds);
  const outcome = remember(
    (method: string, route: string, status: number | undefined, version: string, scheme: string) => {
      const error = errorOf(status);
      const duration = durations.with({
        http_request_method: knownMethod(method),
        http_route: route,
        ...(status !== undefined && { http_response_status_code: String(status) }),
        network_protocol_version: version,
        url_scheme: scheme,
        ...(error !== undefined && { error_type: error }),
      });
      const answer = status === undefined ? "CANCELLED" : String(status);
      const fields = `"protocol":"http","method":"${method}","route":"${route}","status":"${answer}"`;
      return { duration, level: levelOf(status), error, fields };
    },
  );
  // Those of every good day are there from the start, so that the first request is an increase.
  active("GET", ownScheme);
  for (const route of ["/", "/{name}", "/version"]) outcome("GET", route, 200, "1.1", ownScheme);

  const terms: Terms<HttpArrival, HttpEnding> = {
    protocol: "http",
    active: ({ method = OTHER }, { scheme = ownScheme }) => active(method, scheme),
    outcome: ({ method = OTHER, httpVersion }, { route, status }, { scheme = ownScheme }) =>
      outcome(method, route, status, httpVersion, scheme),
    path: ({ url }) => url,
    spanStart: ({ method = OTHER, url = "", httpVersion, headers, socket }, { client, scheme = ownScheme }) => {
      const [path, query] = url.split("?", 2);
      const known = knownMethod(method);
      return {
        name: spanName(method),
        attributes: {
          "http.request.method": known,
          "http.request.method_original": known === method ? undefined : method,
          "url.scheme": scheme,
          "url.path": path,
          "url.query": query,
          "network.protocol.version": httpVersion,
          "client.address": client,
          "network.peer.address": socket.remoteAddress,
          "network.peer.port": socket.remotePort,
          "user_agent.original": headers["user-agent"],
        },
      };
    },
    spanEnd: ({ method = OTHER }, { route, status }) => ({
      name: `${spanName(method)} ${route}`,
      attributes: { "http.route": route, "http.response.status_code": status },
    }),
  };
  return { begin: followExchanges(terms, observers) };
}

function knownMethod(method: string): string {
  return methods.has(method) ? method : OTHER;
}

function spanName(method: string): string {
  return methods.has(method) ? method : "HTTP";
}

/** Only what is the service's own fault: a caller who went away, or asked for the impossible, is none. */
function errorOf(status: number | undefined): string | undefined {
  return status !== undefined && status >= 500 ? String(status) : undefined;
}

function levelOf(status: number | undefined): Level {
  return status === undefined || status < 400 ? "info" : "warn";
}
