# frozen_string_literal: true
# Copyright The otelcol-tasker Authors
# SPDX-License-Identifier: Apache-2.0

# ruby test/tasker_otel_bridge_test.rb

require "bigdecimal"
require "minitest/autorun"
require "set"
require "socket"
require "stringio"
require "timeout"
require_relative "../tasker_otel_bridge"

# A collector that answers as it is told, and keeps what it accepts.
class FakeCollector
  attr_reader :items, :requests

  def initialize(*answers)
    @answers = answers
    @items = []
    @requests = []
    @server = TCPServer.new("127.0.0.1", 0)
    @thread = Thread.new { loop { Thread.new(@server.accept) { |client| serve(client) } } }
  end

  def url = "http://127.0.0.1:#{@server.addr[1]}/v1/events"

  def close
    @thread.kill
    @server.close
  end

  private

  def serve(client)
    while (first = client.gets)
      headers = {}
      while (line = client.gets.chomp) != ""
        key, value = line.split(": ", 2)
        headers[key.downcase] = value
      end
      lines = Zlib.gunzip(client.read(headers["content-length"].to_i)).lines.map { |l| JSON.parse(l) }
      @requests << { line: first, headers: headers, size: lines.size, at: Process.clock_gettime(Process::CLOCK_MONOTONIC) }
      status, more, body = @answers.shift || 200
      @items.concat(lines) if status == 200
      body ||= JSON.generate({ "accepted" => lines.size, "refused_count" => 0, "refused" => [] })
      client.write("HTTP/1.1 #{status} X\r\n#{more}Content-Length: #{body.bytesize}\r\n\r\n#{body}")
    end
  rescue IOError, SystemCallError
    nil
  ensure
    client.close
  end
end

class FakePublisher
  Event = Struct.new(:id, :payload)

  def initialize(*names) = @blocks = names.to_h { |name| [name, []] }

  def subscribe(name, &block) = @blocks.fetch(name) << block # an unknown name raises, as in dry-events

  def publish(name, payload) = @blocks.fetch(name).each { |block| block.call(Event.new(name, payload)) }
end

module Tasker
  module Constants
    UNKNOWN = "unknown"
    module TaskEvents
      COMPLETED = "task.completed"
      NEVER = "task.never_registered"
    end

    module ObservabilityEvents
      module Step
        BACKOFF = "observability.step.backoff"
      end
    end
    Ours = TaskEvents
    Foreign = ::Process
  end

  module Events
    def self.catalog = { "order.fulfilled" => { category: "custom" }, "task.completed" => {} }
  end
end

class BridgeTest < Minitest::Test
  def setup
    @log = []
    @publisher = FakePublisher.new("task.completed", "observability.step.backoff", "order.fulfilled")
  end

  def teardown
    TaskerOtelBridge.reset!
    @collector&.close
  end

  def start(*answers, url: nil, **settings)
    @collector = FakeCollector.new(*answers)
    log = @log
    logger = Object.new
    logger.define_singleton_method(:warn) { |text| log << text }
    TaskerOtelBridge.start(@publisher) do |config|
      config.url = url || @collector.url
      config.service = "shop"
      config.logger = logger
      config.flush_interval = 0.01
      settings.each { |key, value| config.public_send("#{key}=", value) }
    end
  end

  def publish(payload = { task_id: 1 }, name = "task.completed") = @publisher.publish(name, payload)

  def flush = assert(TaskerOtelBridge.flush(20), "sent in time: #{TaskerOtelBridge.stats} #{@log}")

  def plain(payload, **settings)
    config = TaskerOtelBridge::Config.new({})
    settings.each { |key, value| config.public_send("#{key}=", value) }
    TaskerOtelBridge::Plain.new(config).payload(payload)
  end

  def test_several_collectors_share_the_tasks
    second = FakeCollector.new
    @collector = first = FakeCollector.new
    log = @log
    logger = Object.new
    logger.define_singleton_method(:warn) { |text| log << text }
    TaskerOtelBridge.start(@publisher) do |config|
      config.url = "#{first.url}, #{second.url}"
      config.service = "shop"
      config.logger = logger
      config.flush_interval = 0.01
    end
    60.times { |i| 2.times { publish({ task_id: i }) } }
    publish({ order_id: 1 })
    flush
    tasks = [first, second].map { |collector| collector.items.map { |item| item["payload"]["task_id"] } }
    assert_equal 120, tasks.flatten.compact.size
    assert_empty tasks[0] & tasks[1], "all events of a task are in one place"
    tasks.each_with_index do |ids, i|
      assert_operator ids.compact.uniq.size, :>, 15
      ids.compact.each { |id| assert_equal i, Zlib.crc32(id.to_s) % 2 }
    end
    assert_equal 121, TaskerOtelBridge.stats[:sent]
    assert_equal({}, TaskerOtelBridge.stats[:dropped])
  ensure
    second&.close
  end

  def test_an_event_as_it_is_sent
    start(clock: -> { 1_780_315_200_036_885_123 }, namespace: "eu", headers: { "Authorization" => "Bearer x" })
    Thread.new do
      Thread.current[:tasker_correlation_id] = "tsk_a"
      publish({ task_id: 42, status: :complete, note: nil, task_context: { email: "x" } })
    end.join
    flush
    item = @collector.items.first
    assert_match(/\A\h{16}-1\z/, item.delete("id"))
    assert_equal({ "service" => "shop", "namespace" => "eu", "event" => "task.completed",
                   "occurred_at" => "2026-06-01T12:00:00.036885123Z", "correlation_id" => "tsk_a",
                   "payload" => { "task_id" => 42, "status" => "complete" } }, item)
    headers = @collector.requests.first[:headers]
    assert_equal ["application/x-ndjson", "gzip", "Bearer x"], headers.values_at("content-type", "content-encoding", "authorization")
    assert_equal 1, TaskerOtelBridge.stats[:sent]
  end

  def test_all_events_are_heard_once
    start
    TaskerOtelBridge.start(@publisher) # again
    assert_equal %w[observability.step.backoff order.fulfilled task.completed task.never_registered], TaskerOtelBridge.event_names.sort
    %w[task.completed observability.step.backoff order.fulfilled].each { |name| publish({}, name) }
    flush
    assert_equal %w[task.completed observability.step.backoff order.fulfilled], @collector.items.map { |i| i["event"] }
  end

  def test_ids_differ_and_stay_when_events_are_sent_again
    start([503, "Retry-After: 0\r\n"], [429, "Retry-After: 1\r\n"])
    5.times { |i| publish({ task_id: i }) }
    flush
    assert_equal [0, 1, 2, 3, 4], @collector.items.map { |i| i["payload"]["task_id"] }
    assert_equal 5, @collector.items.map { |i| i["id"] }.uniq.size
    first, second, third = @collector.requests.map { |r| r[:at] }
    assert_operator second - first, :>=, 0.25
    assert_operator third - second, :>=, 1, "no sooner than asked"
    assert_equal({ sent: 5, requests: 3, retries: 2, dropped: {}, waiting: 0 }, TaskerOtelBridge.stats)
  end

  def test_a_collector_that_is_away
    port = TCPServer.open("127.0.0.1", 0) { |s| s.addr[1] }
    start(url: "http://127.0.0.1:#{port}/v1/events", queue_size: 3, batch_size: 1)
    6.times { publish }
    refute TaskerOtelBridge.flush(0.2)
    TaskerOtelBridge.stop(0.3)
    stats = TaskerOtelBridge.stats
    assert_operator stats[:retries], :>=, 1
    assert_equal 6, stats[:dropped].values.sum, "what is not sent is counted"
    assert_operator stats[:dropped][:queue_full], :>=, 2
    assert_operator @log.size, :<=, 2, "once a minute"
  end

  def test_what_is_refused
    refusal = JSON.generate({ "accepted" => 2, "refused_count" => 1, "refused" => [{ "reason" => "too deep" }] })
    start([200, nil, refusal], batch_size: 3)
    3.times { publish }
    flush
    assert_equal({ refused: 1 }, TaskerOtelBridge.stats[:dropped])
    assert_equal 2, TaskerOtelBridge.stats[:sent]
    assert_includes @log.join, "too deep"
  end

  def test_a_body_that_is_too_large_is_cut_in_two
    start(413, 413, 200, 413, 200, batch_size: 4, flush_interval: 5)
    4.times { |i| publish({ task_id: i }) }
    flush
    assert_equal [4, 2, 1, 1, 2], @collector.requests.map { |r| r[:size] }
    assert_equal({ refused: 1 }, TaskerOtelBridge.stats[:dropped])
    assert_equal 3, TaskerOtelBridge.stats[:sent]
  end

  def test_a_refusal_for_good
    start([400, nil, "no"])
    publish
    flush
    publish
    flush
    assert_equal({ refused: 1 }, TaskerOtelBridge.stats[:dropped])
    assert_equal 1, TaskerOtelBridge.stats[:sent]
  end

  def test_nothing_is_raised_into_the_application
    start(correlation_id: -> { raise "broken" })
    assert_nil TaskerOtelBridge.instance_variable_get(:@sender).publish("task.completed", {})
    publish
    assert_equal({ error: 2 }, TaskerOtelBridge.stats[:dropped])
  end

  def test_a_signal_handler_may_publish
    start
    raised = nil
    before = trap("USR1") do
      publish
    rescue Exception => e # whatever it is
      raised = e
    end
    Process.kill("USR1", Process.pid)
    sleep(0.01) until TaskerOtelBridge.stats.then { |s| s[:waiting].positive? || s[:sent].positive? }
    assert_nil raised
    publish # starts the thread, which a signal handler cannot
    flush
    assert_equal 2, TaskerOtelBridge.stats[:sent]
  ensure
    trap("USR1", before || "DEFAULT")
  end

  def test_a_timeout_of_the_application_is_not_swallowed
    start(clock: -> { sleep(0.05); 1 })
    error = Class.new(StandardError)
    assert_raises(error) { Timeout.timeout(0.01, error) { publish } }
    flush
    assert_equal 1, TaskerOtelBridge.stats[:sent], "the event was taken before"
  end

  def test_nothing_is_taken_after_the_stop
    start
    publish
    TaskerOtelBridge.stop(5)
    publish
    assert_equal 1, TaskerOtelBridge.stats[:sent]
    assert_equal({ stopped: 1 }, TaskerOtelBridge.stats[:dropped])
    TaskerOtelBridge.stop(5)
  end

  def test_off
    start(enabled: false)
    assert_nil TaskerOtelBridge.stats
    publish
    assert TaskerOtelBridge.flush
  end

  def test_a_fork_sends_its_own_events
    start(flush_interval: 0.3, batch_size: 100)
    publish({ task_id: 0 })
    child = fork do
      4.times.map { |i| Thread.new { publish({ task_id: i + 1 }) } }.each(&:join)
      Process.exit!(TaskerOtelBridge.flush(20) && TaskerOtelBridge.stats[:sent] == 4 ? 0 : 1)
    end
    assert_predicate Process.wait2(child)[1], :success?
    flush
    assert_equal [0, 1, 2, 3, 4], @collector.items.map { |i| i["payload"]["task_id"] }.sort
    assert_equal 5, @collector.items.map { |i| i["id"] }.uniq.size
  end

  def test_many_threads
    start(batch_size: 50)
    8.times.map { Thread.new { 250.times { publish } } }.each(&:join)
    flush
    assert_equal 2000, TaskerOtelBridge.stats[:sent]
    assert_equal 2000, @collector.items.map { |i| i["id"] }.uniq.size
  end

  def test_the_traceparent_of_the_thread
    start(traceparent: -> { Thread.current[:traceparent] })
    Thread.current[:traceparent] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    publish
    Thread.current[:traceparent] = nil
    publish
    flush
    assert_equal ["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", nil], @collector.items.map { |i| i["traceparent"] }
  end

  Money = Struct.new(:amount, :currency)
  # A relation asks the database when it is walked.
  class Relation
    include Enumerable
    def each = raise("queried")
    def to_s = raise("queried")
    def to_json(*) = raise("queried")
  end

  class Record
    attr_reader :id

    def initialize(id) = @id = id
    def to_key = [id]
    def to_json(*) = raise("queried")
  end

  def test_values
    time = Time.new(2026, 6, 1, 14, 0, Rational(1, 3), "+02:00")
    [
      [1, 1],
      [2**80, 2**80],
      [1.5, 1.5],
      [Float::NAN, "NaN"],
      [Float::INFINITY, "Infinity"],
      [true, true],
      ["text", "text"],
      [:sym, "sym"],
      [time, "2026-06-01T12:00:00.333333333Z"],
      [Date.new(2026, 6, 1), "2026-06-01"],
      [BigDecimal("123.450"), "123.45"],
      [BigDecimal("NaN"), "NaN"],
      [Rational(1, 3), "1/3"],
      [Set[1, :a], [1, "a"]],
      [Money.new(BigDecimal("1.5"), :eur), { "amount" => "1.5", "currency" => "eur" }],
      [RuntimeError.new("no"), "RuntimeError: no"],
      [Record.new(42), "BridgeTest::Record#42"],
      [Relation.new, "BridgeTest::Relation"],
      [String, "String"],
      [BasicObject.new, "[unreadable]"],
      ["\xff".b, "\u{fffd}"],
      ["caf\xe9".dup.force_encoding("ISO-8859-1"), "café"],
      ["é".b, "é"],
      [[nil, [:a]], [nil, ["a"]]],
      [{ 1 => { "b" => nil } }, { "1" => { "b" => nil } }],
    ].each do |value, want|
      got = plain({ key: value })
      assert_equal({ "key" => want }, got)
      assert JSON.generate(got)
    end
  end

  def test_what_the_application_changes_later_is_not_sent_changed
    name = +"pay"
    list = [name]
    got = plain({ name: name, list: list })
    name << "!"
    list << 1
    assert_equal({ "name" => "pay", "list" => ["pay"] }, got)
  end

  def test_bounds
    cycle = { a: 1 }
    cycle[:self] = cycle
    assert_equal({ "a" => 1, "self" => "[cycle]" }, plain(cycle))
    twice = [1]
    assert_equal({ "a" => [1], "b" => [1] }, plain({ a: twice, b: twice }), "twice is no cycle")
    deep = 30.times.inject(1) { |inner, _| [inner] }
    assert_includes plain({ deep: deep }).to_s, "[cut]"
    bushy = 30.times.inject(1) { |inner, _| [inner, inner] }
    assert_operator plain({ bushy: bushy }, max_depth: 100).to_s.scan("1").size, :<=, 2_000
    assert_operator plain({ wide: (1..100_000).to_a }).fetch("wide").size, :<=, 2_001
    big = plain({ a: "é" * 50_000, b: "x" * 50_000, task_id: 1 })
    assert_operator big["a"].bytesize + big["b"].bytesize, :<=, 33_000
    assert_predicate big["a"], :valid_encoding?
    assert_equal 1, big["task_id"], "numbers stay"
  end

  def test_settings
    config = TaskerOtelBridge::Config.new({ "TASKER_OTEL_URL" => "https://c/x", "TASKER_OTEL_HEADERS" => "authorization=Bearer%20x, a=b=c",
                                            "TASKER_OTEL_OMIT" => "a, b", "TASKER_OTEL_ENABLED" => "False", "OTEL_SERVICE_NAME" => "s" })
    assert_equal ["https://c/x", { "authorization" => "Bearer x", "a" => "b=c" }, %w[a b], false, "s"],
                 [config.url, config.headers, config.omit, config.enabled, config.service]
    assert_empty TaskerOtelBridge::Config.new({}).mistakes
    assert_equal "tasker_otel_bridge_test", TaskerOtelBridge::Config.new({}).service
  end

  # A mistake does not stop the application, and all of them are named.
  def test_mistakes
    _, said = capture_io do
      TaskerOtelBridge.start(@publisher) do |config|
        config.url = "localhost:4319"
        config.service = ""
        config.queue_size = TaskerOtelBridge::Config.number("many", 1)
        config.batch_size = 0
        config.flush_interval = -1
      end
    end
    assert_nil TaskerOtelBridge.stats
    ['url is "localhost:4319"', 'service is ""', 'queue_size is "many"', "batch_size is 0", "flush_interval is -1"].each do |mistake|
      assert_includes said, "TaskerOtelBridge is not started: #{mistake}"
    end
    publish
  end
end
