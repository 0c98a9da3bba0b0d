import { create, toJsonString } from "@bufbuild/protobuf";
import { Router } from "@koa/router";
import type { Context } from "koa";
import { GreetResponseSchema } from "../gen/greeter/v1/greeter_pb.ts";
import { respond } from "../platform/http/representations.ts";
import { requestContext } from "../platform/http/request-observer.ts";
import { checkText, DEFAULT_NAME, type Greeter } from "./greeter.ts";
import { nameInPath, nameInQuery, pathOf } from "./names.ts";
import { greetingPage } from "./pages.ts";

/** Creates the greeter's routes: `/`, and every path that no other route takes. */
export function greeterRoutes(greeter: Greeter): Router {
  const router = new Router({ strict: true, sensitive: true });

  const greet = async (context: Context): Promise<void> => {
    const name = nameInPath(context.path);
    const message = await greeter.greet(name, requestContext(context));
    respond(context, {
      html: () => greetingPage(message, name ?? DEFAULT_NAME),
      json: () => `${toJsonString(GreetResponseSchema, create(GreetResponseSchema, { message }))}\n`,
      text: () => `${message}\n`,
    });
  };

  router.get("/", async (context) => {
    // The page's form sends the name as a query.
    const name = nameInQuery(context.querystring);
    if (name === undefined) await greet(context);
    else redirect(context, pathOf(name && checkText("name", name)));
  });
  router.get("/*name", greet);
  return router;
}

function redirect(context: Context, location: string): void {
  context.status = 303;
  // The errors of the same URL are negotiated.
  context.vary("Accept");
  context.set("Location", location);
  context.body = `Redirecting to ${location}.`;
}
