// Copyright The otelcol-tasker Authors
// SPDX-License-Identifier: Apache-2.0

package wire

const secondsPerDay = 24 * 60 * 60

// parseTime reads a time of RFC 3339 as Unix seconds and nanoseconds. The T may be a space or lower case, as the RFC allows, and
// second 60 of a leap second becomes the first of the next minute. Digits of the fraction beyond the ninth are cut.
func parseTime(s []byte) (seconds, nanos int64, ok bool) {
	const date = "2006-01-02T15:04:05"
	if len(s) < len(date)+1 || s[4] != '-' || s[7] != '-' || s[13] != ':' || s[16] != ':' ||
		s[10] != 'T' && s[10] != 't' && s[10] != ' ' {
		return 0, 0, false
	}
	century, ok1 := twoDigits(s[0:], 99)
	year, ok2 := twoDigits(s[2:], 99)
	month, ok3 := twoDigits(s[5:], 12)
	day, ok4 := twoDigits(s[8:], 31)
	hour, ok5 := twoDigits(s[11:], 23)
	minute, ok6 := twoDigits(s[14:], 59)
	second, ok7 := twoDigits(s[17:], 60)
	year += 100 * century
	if !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || !ok6 || !ok7 || month == 0 || day == 0 || day > daysIn(year, month) {
		return 0, 0, false
	}
	nanos, s, ok = fraction(s[len(date):])
	if !ok {
		return 0, 0, false
	}
	offset, ok := zone(s)
	if !ok {
		return 0, 0, false
	}
	return daysSince1970(year, month, day)*secondsPerDay + hour*3600 + minute*60 + second - offset, nanos, true
}

// fraction reads an optional fraction of a second and returns what follows it.
func fraction(s []byte) (nanos int64, rest []byte, ok bool) {
	if len(s) == 0 || s[0] != '.' {
		return 0, s, true
	}
	end := skipDigits(s, 1)
	for i := 1; i < 10; i++ {
		nanos *= 10
		if i < end {
			nanos += int64(s[i] - '0')
		}
	}
	return nanos, s[end:], end > 1
}

// zone reads Z or an offset, in seconds east of Greenwich.
func zone(s []byte) (int64, bool) {
	if len(s) == 1 {
		return 0, s[0] == 'Z' || s[0] == 'z'
	}
	if len(s) != len("+02:00") || s[3] != ':' || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	hours, ok1 := twoDigits(s[1:], 23)
	minutes, ok2 := twoDigits(s[4:], 59)
	offset := hours*3600 + minutes*60
	if s[0] == '-' {
		offset = -offset
	}
	return offset, ok1 && ok2
}

func twoDigits(s []byte, most int64) (int64, bool) {
	high, low := s[0]-'0', s[1]-'0'
	n := int64(high)*10 + int64(low)
	return n, high < 10 && low < 10 && n <= most
}

func daysIn(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysSince1970 counts in years that begin in March, so that the leap day is the last of its year.
func daysSince1970(year, month, day int64) int64 {
	const daysTo1970 = 719_468 // from 1 March of the year 0
	if month <= 2 {
		year--
		month += 12
	}
	// Floor division: January of the year 0 belongs to the year -1.
	era := year / 400
	if year < 0 {
		era = -1
	}
	yearOfEra := year - era*400
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	return era*146_097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - daysTo1970
}
