# syntax=docker/dockerfile:1

# Builds dist/: one file with everything that the service needs, and the bill of materials of what is in it.
FROM --platform=$BUILDPLATFORM docker.io/library/node:26-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# The build runs on this image's Node, not on the one that the lockfile brings to a checkout. It can't be left out by
# --omit=optional, for the bundler's own binary is optional too.
RUN npm ci --ignore-scripts --no-audit --no-fund && rm -rf node_modules/node-linux-* node_modules/.bin/node
COPY . .
# The repository itself stays outside, so the build is told what it is of: deploy/image/build-args.
ARG VCS_REVISION
ARG VCS_TIME
ARG VCS_MODIFIED
RUN npm run build

# Runs it: no shell, no package manager, not root.
FROM gcr.io/distroless/nodejs26-debian13:nonroot
WORKDIR /app
COPY --from=build /app/dist/ ./
ENV NODE_ENV=production
# By number, for Kubernetes can't tell of a name whether it is root.
USER 65532:65532
EXPOSE 8080 50051 9090
# Without --enable-source-maps, which takes 30 MiB: names stand in stack traces anyway, and NODE_OPTIONS can have it when lines are wanted.
ENTRYPOINT ["/nodejs/bin/node", "/app/greeter.cjs"]
CMD ["serve"]
# For Docker, and for Podman where it builds with --format docker; Kubernetes has its own probes.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["/nodejs/bin/node", "/app/greeter.cjs", "check-health"]
# Last, for they change with each commit (https://specs.opencontainers.org/image-spec/annotations/).
ARG VCS_REVISION
ARG VCS_SOURCE
ARG VCS_TIME
ARG VERSION
LABEL org.opencontainers.image.title="Greeter" \
  org.opencontainers.image.description="The reference gRPC + HTTP microservice in TypeScript" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.source="${VCS_SOURCE}" \
  org.opencontainers.image.revision="${VCS_REVISION}" \
  org.opencontainers.image.created="${VCS_TIME}" \
  org.opencontainers.image.version="${VERSION}"
