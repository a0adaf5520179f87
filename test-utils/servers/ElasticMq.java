/*
 * Copyright The otel-messaging Authors
 * SPDX-License-Identifier: Apache-2.0
 */

import org.elasticmq.NodeAddress;
import org.elasticmq.rest.sqs.SQSRestServerBuilder;

/** Starts ElasticMQ on a port of the loopback interface and says when it is ready. */
public class ElasticMq {
  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[0]);
    NodeAddress address = new NodeAddress("http", "127.0.0.1", port, "");
    SQSRestServerBuilder.withPort(port)
        .withInterface("127.0.0.1")
        .withServerAddress(address)
        .start()
        .waitUntilStarted();
    System.out.println("ready");
    Thread.sleep(Long.MAX_VALUE);
  }
}
