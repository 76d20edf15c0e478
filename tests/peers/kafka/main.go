// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

// Command kafka is an in-memory Kafka broker for the end-to-end tests. It prints its address as the first line, and then,
// for each input line with the name of a consumer group, a line of JSON with the group's state. It ends with its input, and
// so does not outlive the test that started it.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	if err := run(os.Args[1:], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, in io.Reader, out io.Writer) error {
	flags := flag.NewFlagSet("kafka", flag.ContinueOnError)
	partitions := flags.Int("partitions", 1, "how many partitions each topic has")
	certificate := flags.String("cert", "", "the certificate's file; without one there is no TLS")
	key := flags.String("key", "", "the file of the certificate's key")
	user := flags.String("user", "", "who may connect, with SCRAM-SHA-256; empty for everybody")
	password := flags.String("password", "", "the user's password")
	if err := flags.Parse(args); err != nil {
		return err
	}
	options := []kfake.Opt{kfake.NumBrokers(1), kfake.SeedTopics(int32(*partitions), flags.Args()...)}
	if *certificate != "" {
		pair, err := tls.LoadX509KeyPair(*certificate, *key)
		if err != nil {
			return fmt.Errorf("read the certificate: %w", err)
		}
		options = append(options, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{pair}}))
	}
	if *user != "" {
		options = append(options, kfake.EnableSASL(), kfake.Superuser("SCRAM-SHA-256", *user, *password))
	}
	broker, err := kfake.NewCluster(options...)
	if err != nil {
		return fmt.Errorf("start the broker: %w", err)
	}
	defer broker.Close()
	if _, err := fmt.Fprintln(out, broker.ListenAddrs()[0]); err != nil {
		return err
	}
	return answer(broker.ListenAddrs(), in, out)
}

// Group is the state of a consumer group.
type Group struct {
	State string `json:"state"`
	// Members is the number of consumers in the group.
	Members int `json:"members"`
	// Partitions is the number of assigned partitions; 0 if a member has none.
	Partitions int `json:"partitions"`
}

// answer prints the state of each group whose name it reads.
func answer(brokers []string, in io.Reader, out io.Writer) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...))
	if err != nil {
		return fmt.Errorf("connect to the broker: %w", err)
	}
	defer client.Close()
	names := bufio.NewScanner(in)
	for names.Scan() {
		groups, err := kadm.NewClient(client).DescribeGroups(context.Background(), names.Text())
		if err != nil {
			return fmt.Errorf("describe the group %s: %w", names.Text(), err)
		}
		group := groups[names.Text()]
		state := Group{State: group.State, Members: len(group.Members), Partitions: assigned(group)}
		if err := json.NewEncoder(out).Encode(state); err != nil {
			return err
		}
	}
	return names.Err()
}

// assigned returns the number of assigned partitions; 0 if a member has none.
func assigned(group kadm.DescribedGroup) int {
	sum := 0
	for _, member := range group.Members {
		consumer, is := member.Assigned.AsConsumer()
		if !is || len(consumer.Topics) == 0 {
			return 0
		}
		for _, topic := range consumer.Topics {
			sum += len(topic.Partitions)
		}
	}
	return sum
}
