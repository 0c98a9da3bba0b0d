import { readdirSync, readFileSync } from "node:fs";
import { constants, performance, PerformanceObserver } from "node:perf_hooks";
import type { PerformanceEntry } from "node:perf_hooks";
import { getHeapSpaceStatistics, getHeapStatistics } from "node:v8";
import { durationBounds } from "./metrics.ts";
import type { Metrics } from "./metrics.ts";

/** How often the share of time in which the event loop was busy is computed, in milliseconds. */
const UTILIZATION_INTERVAL = 5000;

/**
 * Measures the process: by the names that every Prometheus client has for any process
 * (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics), and by OpenTelemetry's for Node and V8
 * (https://opentelemetry.io/docs/specs/semconv/runtime/).
 */
export function measureRuntime(metrics: Metrics): void {
  measureProcess(metrics);
  measureEventLoop(metrics);
  measureGarbageCollection(metrics);
  measureHeap(metrics);

  const active = metrics.gauge(
    "v8js_resource_active",
    "What keeps the event loop alive: sockets, timers and the like.",
  );
  const types = new Set<string>();
  metrics.onRead(() => {
    const resources = process.getActiveResourcesInfo();
    for (const type of types) active.with({ v8js_resource_type: type }).value = 0;
    for (const type of resources) {
      types.add(type);
      active.with({ v8js_resource_type: type }).value++;
    }
  });
}

function measureProcess(metrics: Metrics): void {
  const cpu = metrics.counter("process_cpu_seconds_total", "CPU time spent, user and system, in seconds.").with();
  const memory = metrics.gauge("process_resident_memory_bytes", "Resident memory, in bytes.").with();
  const start = metrics.gauge("process_start_time_seconds", "When the process started, in seconds since 1970.").with();
  start.value = performance.timeOrigin / 1000;
  metrics.onRead(() => {
    const { user, system } = process.cpuUsage();
    cpu.value = (user + system) / 1e6;
    // It reads a file of Linux's: where no file descriptor is left, the value before is better than none of all the others.
    memory.value = tried(() => process.memoryUsage.rss()) ?? memory.value;
  });
  // Only Linux tells it.
  if (process.platform !== "linux") return;
  const open = metrics.gauge("process_open_fds", "Open file descriptors.").with();
  const limit = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"));
  metrics.gauge("process_max_fds", "How many file descriptors may be open.").with().value = Number(
    limit?.[1] ?? Infinity,
  );
  metrics.onRead(() => (open.value = tried(() => readdirSync("/proc/self/fd").length) ?? open.value));
}

/** What it returns, or undefined where it throws. */
function tried(read: () => number): number | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function measureEventLoop(metrics: Metrics): void {
  const time = metrics.counter(
    "nodejs_eventloop_time_seconds_total",
    "Time the event loop was active, and idle, in seconds.",
  );
  const utilization = metrics
    .gauge("nodejs_eventloop_utilization_ratio", "Share of the last 5 seconds in which the event loop was active.")
    .with();
  metrics.onRead(() => {
    const { active, idle } = performance.eventLoopUtilization();
    time.with({ nodejs_eventloop_state: "active" }).value = active / 1000;
    time.with({ nodejs_eventloop_state: "idle" }).value = idle / 1000;
  });
  let last = performance.eventLoopUtilization();
  const measure = (): void => {
    const now = performance.eventLoopUtilization();
    utilization.value = performance.eventLoopUtilization(now, last).utilization;
    last = now;
  };
  setInterval(measure, UTILIZATION_INTERVAL).unref();
}

/** Node's types leave its detail out. */
type GcEntry = PerformanceEntry & { detail: { kind: number } };

const gcTypes: Record<number, string> = {
  [constants.NODE_PERFORMANCE_GC_MAJOR]: "major",
  [constants.NODE_PERFORMANCE_GC_MINOR]: "minor",
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: "incremental",
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: "weakcb",
};

function measureGarbageCollection(metrics: Metrics): void {
  const family = metrics.histogram(
    "v8js_gc_duration_seconds",
    "Duration of garbage collections, in seconds.",
    durationBounds,
  );
  const byKind = new Map(
    Object.entries(gcTypes).map(([kind, type]) => [Number(kind), family.with({ v8js_gc_type: type })]),
  );
  const observer = new PerformanceObserver((list) => {
    for (const { detail, duration } of list.getEntries() as GcEntry[])
      byKind.get(detail.kind)?.observe(duration / 1000);
  });
  observer.observe({ type: "gc" });
}

function measureHeap(metrics: Metrics): void {
  const used = metrics.gauge("v8js_memory_heap_used_bytes", "Used size of each heap space, in bytes.");
  const size = metrics.gauge("v8js_memory_heap_space_size_bytes", "Size of each heap space, in bytes.");
  const limit = metrics.gauge("v8js_heap_size_limit_bytes", "How large the heap may become, in bytes.").with();
  metrics.onRead(() => {
    limit.value = getHeapStatistics().heap_size_limit;
    for (const { space_name, space_used_size, space_size } of getHeapSpaceStatistics()) {
      used.with({ v8js_heap_space_name: space_name }).value = space_used_size;
      size.with({ v8js_heap_space_name: space_name }).value = space_size;
    }
  });
}
